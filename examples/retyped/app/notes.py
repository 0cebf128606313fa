"""Who wrote what."""

import logging

from sqlalchemy import text

from app.ids import ensure_int_id

log = logging.getLogger(__name__)


def find_user(connection, name):
    return connection.execute(text("SELECT id, name FROM users WHERE name = :name"), {"name": name}).one()


def notes_of(connection, name):
    user = find_user(connection, name)
    rows = connection.execute(
        text("SELECT id, user_id, body FROM notes WHERE user_id = :user_id ORDER BY id"),
        {"user_id": str(user.id)},
    ).all()
    return [{"id": row.id, "owner": ensure_int_id(row.user_id), "body": row.body} for row in rows]


def write_note(connection, name, body):
    user = find_user(connection, name)
    connection.execute(
        text("INSERT INTO notes (user_id, body) VALUES (:user_id, :body)"),
        {"user_id": str(user.id), "body": body},
    )
    log.info("a note of " + str(user.id))


def is_own(connection, note_id, token):
    note = connection.execute(text("SELECT user_id FROM notes WHERE id = :id"), {"id": note_id}).one()
    session = connection.execute(
        text("SELECT user_id FROM sessions WHERE token = :token"), {"token": token}
    ).one()
    return str(note.user_id) == str(session.user_id)


def count_notes(connection):
    rows = connection.execute(
        text(
            """
            SELECT u.name, count(*) AS notes
            FROM users AS u
            JOIN notes AS n ON CAST(n.user_id AS text) = CAST(u.id AS text)
            GROUP BY u.name
            ORDER BY u.name
            """
        )
    )
    return {row.name: row.notes for row in rows}
