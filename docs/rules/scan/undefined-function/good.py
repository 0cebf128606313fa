from sqlalchemy import text


def see(connection, user):
    connection.execute(text("SELECT touch(42)"))
