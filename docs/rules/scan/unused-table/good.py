from sqlalchemy import text


def find(connection):
    return connection.execute(text("SELECT email, body FROM users, orders, legacy_notes"))
