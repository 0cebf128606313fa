from sqlalchemy import text


def list_notes(connection):
    return connection.execute(
        text("SELECT body FROM legacy_notes JOIN users ON users.id = legacy_notes.user_id")
    )
