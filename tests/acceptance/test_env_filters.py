"""What env.py keeps from autogenerate, ``include_object`` and ``include_name``, is no finding of govern's either."""

from __future__ import annotations

import pytest

from tests.acceptance.program import Project, execute

ENV = "migrations/env.py"
START = "import os\nfrom govern import validate_on_startup\nvalidate_on_startup(os.environ['DATABASE_URL'])\n"
CONFIGURE = "context.configure(connection=connection, target_metadata=target_metadata"
INCLUDE_OBJECT = """
def include_object(item, name, type_, reflected, compare_to):
    if type_ == "table" and reflected and compare_to is None:
        return not name.startswith("legacy_")
    if type_ == "index":
        return name != "by_hand"
    return not item.info.get("is_view")
"""
INCLUDE_NAME = """
def include_name(name, type_, parent_names):
    return type_ != "table" or not name.startswith("legacy_")
"""
VIEW = """

class Report(Base):
    __tablename__ = "report"
    __table_args__ = {"info": {"is_view": True}}
    id = Column(Integer, primary_key=True)
"""


def use_hook(project: Project, name: str, text: str) -> None:
    """Online alone, as most projects have it."""
    project.edit(ENV, f"{CONFIGURE})", f"{CONFIGURE}, {name}={name})")
    project.edit(ENV, "\ndef run_migrations_online", f"{text}\n\ndef run_migrations_online")


def drifted(project: Project, *arguments: str) -> set[tuple[str, str]]:
    done = project.ask("drift", *arguments)
    assert done.exit_code in (0, 1), done
    return {(finding["rule"], finding["subject"]["name"]) for finding in done.findings}


@pytest.mark.parametrize("governed", ["postgresql"], indirect=True)
def test_what_include_object_turns_down_is_no_drift_and_the_rest_is(governed: Project) -> None:
    legacy, index = ("drift.table-added", "legacy_orders"), ("drift.index-added", "notes.by_hand")
    execute(
        governed.database,
        "CREATE TABLE legacy_orders (id integer PRIMARY KEY, note text)",
        "CREATE INDEX by_hand ON notes (body)",
        "CREATE TABLE stray (id integer)",
    )
    assert {legacy, index} < drifted(governed)
    use_hook(governed, "include_object", INCLUDE_OBJECT)
    assert drifted(governed) == {("drift.table-added", "stray")}
    assert "legacy_orders" not in governed.succeed("repair", "plan").out, "what is not ours is not dropped"

    execute(governed.database, "DROP TABLE stray")
    models = (governed.root / "app/models.py").read_text()
    governed.write({"app/models.py": models + VIEW})
    assert drifted(governed, "--against", "models") == set()
    execute(governed.database, "DROP TABLE alembic_version")
    governed.succeed("baseline")


@pytest.mark.parametrize("governed", ["sqlite"], indirect=True)
def test_check_heeds_both_hooks_and_one_that_raises_is_named_with_its_line(governed: Project) -> None:
    execute(governed.database, "CREATE TABLE legacy_orders (id integer)")
    use_hook(governed, "include_name", INCLUDE_NAME)
    assert drifted(governed) == set()
    models = (governed.root / "app/models.py").read_text()
    governed.write({"app/models.py": models + VIEW})
    assert "drift.table-removed" in governed.ask("check").rules
    governed.edit(ENV, "include_name=include_name", "include_object=include_object")
    governed.edit(ENV, INCLUDE_NAME, INCLUDE_OBJECT)
    assert "drift.table-removed" not in governed.ask("check").rules

    governed.edit(ENV, 'return not item.info.get("is_view")', "return item.no_such_thing")
    broken = governed.ask("check")
    assert broken.exit_code == 2, broken
    assert "migrations/env.py, line" in broken.problem["what"]


@pytest.mark.parametrize("governed", ["sqlite"], indirect=True)
def test_init_names_what_env_leaves_out_of_the_live_database_and_applications_start(
    governed: Project,
) -> None:
    execute(governed.database, "CREATE TABLE legacy_orders (id integer)")
    use_hook(governed, "include_object", INCLUDE_OBJECT)
    assert "legacy_orders" in governed.run_python(START).err
    governed.succeed("init")
    assert (
        '{kind: table, name: "legacy_orders", reason: env.py leaves it out'
        in (governed.root / "schema/governance.yaml").read_text()
    )
    assert governed.run_python(START).exit_code == 0
    assert governed.succeed("drift").findings == []
