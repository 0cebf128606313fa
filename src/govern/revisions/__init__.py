"""2. How we get there: the revision chain, its checksums, and the child process that runs Alembic."""
