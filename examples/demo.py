"""The whole main job on the sample application: govern a database, break it by hand, see it found, repair it.

Every step is the command a person would type, shown before it runs. Runs again without harm.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parent.parent
GOVERN = str(Path(sys.executable).with_name("govern"))

HAND_MADE_CHANGE = (
    "ALTER TABLE users ALTER COLUMN email DROP NOT NULL",
    "ALTER TABLE notes ADD COLUMN scratchpad text",
    "DROP INDEX ix_expense_categories_user_id",
)


def main() -> int:
    started = time.monotonic()
    undo_an_interrupted_demo()
    title("1. A governed migration of 38 tables on an embedded PostgreSQL")
    run("check")
    run("migrate")
    url = embedded_url()
    title("2. The application starts on it")
    start_application(url, expected=0)
    title("3. Somebody changes the database by hand")
    change_by_hand(url)
    title("4. The change is found, with the SQL that takes it back, and the application refuses to start")
    run("drift", "--sql", ".govern/repair.sql", expected=1)
    start_application(url, expected=4)
    title("5. The repair: planned, proven on a copy, backed up, applied, recorded")
    run("repair", "apply", "--allow", "drops-column:notes.scratchpad")
    run("drift")
    start_application(url, expected=0)
    title("6. What was done, and what is kept")
    run("history")
    run("backup", "list")
    run("embedded", "stop")
    print(
        f"\ndone in {time.monotonic() - started:.0f} s; any govern command starts the embedded PostgreSQL again"
    )
    return 0


def undo_an_interrupted_demo() -> None:
    """Takes back what step 3 of an earlier, interrupted run may have left."""
    if (ROOT / ".govern").exists():
        command = [GOVERN, "repair", "apply", "--quiet", "--allow", "drops-column:notes.scratchpad"]
        subprocess.run(command, cwd=ROOT, env=environment(), check=False, capture_output=True)


def title(text: str) -> None:
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}\n{'-' * len(text)}", flush=True)


def run(*arguments: str, expected: int = 0) -> None:
    """Runs a govern command as a person would, and stops the demo if it ends otherwise than expected."""
    print(f"\n$ govern {' '.join(arguments)}", flush=True)
    check(subprocess.run([GOVERN, *arguments], cwd=ROOT, env=environment(), check=False).returncode, expected)


def start_application(url: str, *, expected: int) -> None:
    print("\n$ python -m examples.plain", flush=True)
    command = [sys.executable, "-m", "examples.plain"]
    completed = subprocess.run(command, cwd=ROOT, env=environment() | {"DATABASE_URL": url}, check=False)
    check(completed.returncode, expected)


def check(exit_code: int, expected: int) -> None:
    print(f"(exit code {exit_code})", flush=True)
    if exit_code != expected:
        sys.exit(f"the demo expected exit code {expected}")


def change_by_hand(url: str) -> None:
    with psycopg.connect(url.replace("postgresql+psycopg", "postgresql")) as connection:
        for statement in HAND_MADE_CHANGE:
            print(f"  {statement};")
            connection.execute(statement)


def embedded_url() -> str:
    """The address of the database that govern runs where none is configured."""
    command = [GOVERN, "embedded", "status", "--format", "json"]
    report = json.loads(
        subprocess.run(command, cwd=ROOT, env=environment(), check=True, capture_output=True).stdout
    )
    url: str = report["embedded"]["url"]
    return url


def environment() -> dict[str, str]:
    """This process's, without what would point govern at another database."""
    return {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}


if __name__ == "__main__":
    sys.exit(main())
