"""SQLite 3.35 and later, over the standard library's sqlite3. ``engine`` has all that is asked of it."""
