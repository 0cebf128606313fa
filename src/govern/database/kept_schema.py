"""The whole schema as it was before a run, kept in the database itself: what the way back of definitions is made of."""

from __future__ import annotations

from pathlib import Path

from govern.database.row_spelling import RowTransaction


def keep_schema(work: RowTransaction, run: str, folder: Path) -> None:
    """Takes in a dump of the schema alone: a folder of files. In the caller's transaction."""
    connection, spelling = work
    spelling.prepare_records(connection)
    connection.execute(spelling.create_schemas)
    mark = spelling.placeholder
    for file in sorted(folder.iterdir()):
        connection.execute(
            f"INSERT INTO {spelling.schemas} (run, name, content) VALUES ({mark}, {mark}, {mark})",  # noqa: S608
            (run, file.name, file.read_bytes()),
        )


def take_out_schema(work: RowTransaction, run: str, folder: Path) -> bool:
    """Writes the dump of ``run`` into an empty folder; False where none is kept."""
    connection, spelling = work
    query = f"SELECT name, content FROM {spelling.schemas} WHERE run = {spelling.placeholder}"  # noqa: S608
    rows = connection.rows(query, (run,))
    for name, content in rows:
        file = folder / Path(name).name
        file.touch(mode=0o600)
        file.write_bytes(content)
    return bool(rows)


def forget_schema(work: RowTransaction, run: str) -> None:
    """What was kept has served."""
    connection, spelling = work
    connection.execute(f"DELETE FROM {spelling.schemas} WHERE run = {spelling.placeholder}", (run,))  # noqa: S608
