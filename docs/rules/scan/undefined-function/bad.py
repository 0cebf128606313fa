from sqlalchemy import text


def see(connection, user):
    connection.execute(text("SELECT tuch(42)"))
