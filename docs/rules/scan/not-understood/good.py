from sqlalchemy import text


def count(connection):
    return connection.execute(text("SELECT count(*) FROM users"))
