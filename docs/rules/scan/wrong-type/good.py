from sqlalchemy import text


def list_totals(connection):
    return connection.execute(text("SELECT total FROM orders JOIN users ON users.id = orders.user_id"))
