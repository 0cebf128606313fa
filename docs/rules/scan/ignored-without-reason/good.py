from sqlalchemy import text


def find(connection):
    # govern: ignore[scan.undefined-table] the importer makes it
    return connection.execute(text("SELECT id FROM raw"))
