from sqlalchemy import text


def search(connection, email):
    return connection.execute(text("SELECT id FROM users WHERE email = :email"), {"email": email})
