from sqlalchemy import text


def search(connection, condition):
    return connection.execute(text("SELECT id FROM users WHERE " + condition))
