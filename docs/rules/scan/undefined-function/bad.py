from sqlalchemy import text


def see(connection):
    connection.execute(text("SELECT tuch(42)"))
