from sqlalchemy import text


def find(connection):
    return connection.execute(text("SELECT email FROM users JOIN orders ON user_id = users.id"))
