from sqlalchemy import text


def find(connection, user):
    return connection.execute(text("SELECT mail FROM users WHERE id = :user"), {"user": user})
