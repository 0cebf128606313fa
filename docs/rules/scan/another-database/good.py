import psycopg


def find(url):
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT email FROM users").fetchall()
