from sqlalchemy import text


def find(connection, user):
    return connection.execute(text("SELECT email FROM users WHERE id = :user"), {"user": user})
