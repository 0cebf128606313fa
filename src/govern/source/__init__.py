"""1. What should be: the manifest, SQL files and the lock. Reads files; touches no database."""
