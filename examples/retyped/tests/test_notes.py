"""What the application promises, on the database of DATABASE_URL; nothing of it stays."""

import unittest

from app.notes import count_notes, is_own, notes_of, write_note
from app.pages import show_user
from app.settings import make_engine


class Notes(unittest.TestCase):
    def setUp(self):
        self.engine = make_engine()
        self.connection = self.engine.connect()

    def tearDown(self):
        self.connection.rollback()
        self.connection.close()
        self.engine.dispose()

    def test_notes_are_those_of_their_owner(self):
        assert notes_of(self.connection, "ada") == [
            {"id": 11, "owner": 1, "body": "engines"},
            {"id": 13, "owner": 1, "body": "looms"},
        ]

    def test_only_the_owner_owns(self):
        assert is_own(self.connection, 11, "of-ada")
        assert not is_own(self.connection, 12, "of-ada")

    def test_all_notes_are_counted(self):
        assert count_notes(self.connection) == {"ada": 2, "grace": 1}

    def test_a_page_is_asked_for_with_a_text(self):
        assert show_user(self.connection, {"user_id": "2"}) == {"name": "grace", "url": "/users/2"}


class Writing(unittest.TestCase):
    def test_a_note_is_its_writers(self):
        engine = make_engine()
        with engine.connect() as connection:
            write_note(connection, "grace", "relays")
            assert {note["body"] for note in notes_of(connection, "grace")} == {"moths", "relays"}
            connection.rollback()
        engine.dispose()


if __name__ == "__main__":
    unittest.main()
