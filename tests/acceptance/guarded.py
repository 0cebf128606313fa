"""The project ``plain`` with all that an application may miss: an index, a trigger, row security, a critical table."""

from __future__ import annotations

from tests.acceptance.program import Project

MANIFEST = "critical_tables:\n  - name: users\n    min_rows: 1\n  - name: notes\n"
GUARDS = """
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE TRIGGER touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody ON notes USING (true);
"""
INDEXED = ("body = Column(Text, nullable=False)", "body = Column(Text, nullable=False, index=True)")
CREATE_INDEX = '    op.create_index("ix_notes_body", "notes", ["body"])\n'


def prepare(project: Project) -> None:
    """Index, trigger, row security and a manifest; locked and migrated."""
    files: dict[str, str | None] = {"govern.toml": "", "schema/governance.yaml": MANIFEST}
    guards = ""
    if project.database.dialect == "postgresql":
        files["schema/sql/guards.sql"] = GUARDS
        guards = f"    op.execute({GUARDS!r})\n"
    project.write(files)
    project.edit("app/models.py", *INDEXED)
    insert = '    op.execute("INSERT'
    project.edit("migrations/versions/r2_notes.py", insert, CREATE_INDEX + guards + insert)
    project.succeed("lock")
    project.succeed("migrate", "--backup", "off", "--rehearse", "off")
