from sqlalchemy import text


def see(connection):
    connection.execute(text("SELECT touch(42)"))
