from sqlalchemy import text


def count(connection):
    return connection.execute(text("SELECT count(*) FORM users"))
