"""The drill from beginning to end: ``python -m examples.drill``, or with ``--page`` to bring it all back by hand.

It makes a folder and a PostgreSQL of its own, asks for no other database, and removes both.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from examples.drill.breakages import BREAKAGES, break_database
from examples.drill.place import GOVERN, Digests, copy_project, find_differences, migrate, read_digests, seed

_SECRET = "GOVERN_MONITOR_TOKEN"
_PORT = 8971
_FIRST_PASS = ("monitor", "run", "--once")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m examples.drill", description=__doc__)
    parser.add_argument("--page", action="store_true", help="leave it broken, and serve the monitor's page")
    wants_page = parser.parse_args().page
    signal.signal(
        signal.SIGTERM, signal.default_int_handler
    )  # to be ended as Ctrl-C does it, with all that was made
    folder = Path(tempfile.mkdtemp(prefix="govern-drill-"))
    folder.chmod(0o711)  # the server may run as another user
    drill = Drill(folder / "project")
    try:
        drill.prepare()
        return drill.serve_page() if wants_page else drill.bring_everything_back()
    except KeyboardInterrupt:
        return 0
    finally:
        drill.end()
        shutil.rmtree(folder, ignore_errors=True)


class Drill:
    """A broken copy of the sample, as long as the drill lasts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._environment = _environment()
        self._conninfo = ""
        self._before: Digests = {}

    def prepare(self) -> None:
        title("The sample's 38 tables on a PostgreSQL of their own, with rows in each, and a backup")
        copy_project(self._folder)
        migrate(self._folder, self._environment)
        self._conninfo = self._find_database()
        seed(self._folder, self._conninfo, self._environment)
        self._before = read_digests(self._conninfo)
        title("Eight things break")
        for breakage in BREAKAGES:
            print(f"  {breakage.table}: {breakage.sentence}")
        break_database(self._conninfo)

    def bring_everything_back(self) -> int:
        """By commands, each shown before it runs."""
        title("The monitor finds them, and says what it would do")
        self.run(*_FIRST_PASS, expected=1)
        title("Its policy is switched on: it brings back what it may")
        manifest = self._folder / "schema" / "governance.yaml"
        manifest.write_text(manifest.read_text(encoding="utf-8").replace("mode: dry-run", "mode: apply"))
        self.run(*_FIRST_PASS, expected=1)
        title("A person brings back the rest")
        backup = min(path.name for path in (self._folder / "backups").iterdir() if path.name[0].isdigit())
        for breakage in BREAKAGES:
            for command in breakage.commands:
                self.run(*command.format(backup=backup).split(), expected=None)
        title("And all is as it was")
        for command in ("drift", "integrity", "health"):
            self.run(command)
        differences = find_differences(self._before, read_digests(self._conninfo))
        print(f"\nrows that are otherwise than before: {', '.join(differences) or 'none'}")
        return 1 if differences else 0

    def serve_page(self) -> int:
        """Until Ctrl-C."""
        environment = {**self._environment, _SECRET: secrets.token_urlsafe()}
        title("The monitor and its page: Ctrl-C ends them")
        print(f"  http://127.0.0.1:{_PORT}/admin/database-health\n  secret: {environment[_SECRET]}")
        print(f"  in a terminal: cd {self._folder}")
        commands = (("monitor", "run"), ("serve", "--port", str(_PORT)))
        started = [
            subprocess.Popen([GOVERN, *command], cwd=self._folder, env=environment) for command in commands
        ]
        try:
            while all(process.poll() is None for process in started):
                time.sleep(1)
        finally:
            for process in started:
                process.terminate()
                process.wait()
        return 1

    def run(self, *arguments: str, expected: int | None = 0) -> None:
        """A command as a person types it; None: it may also end with 1, while other things are still wrong."""
        print(f"\n$ govern {' '.join(arguments)}", flush=True)
        command = [GOVERN, *arguments]
        code = subprocess.run(command, cwd=self._folder, env=dict(self._environment), check=False).returncode
        if code != expected and not (expected is None and code in (0, 1)):
            sys.exit(f"the drill expected another exit code than {code}")

    def end(self) -> None:
        """Nothing of it runs any more."""
        command = [GOVERN, "embedded", "stop", "--quiet"]
        subprocess.run(
            command, cwd=self._folder, env=dict(self._environment), check=False, capture_output=True
        )

    def _find_database(self) -> str:
        command = [GOVERN, "embedded", "status", "--format", "json"]
        environment = dict(self._environment)
        done = subprocess.run(command, cwd=self._folder, env=environment, check=True, capture_output=True)
        return str(json.loads(done.stdout)["embedded"]["url"])


def title(text: str) -> None:
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}\n{'-' * len(text)}", flush=True)


def _environment() -> Mapping[str, str]:
    """This process's, without what would point govern at another database."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "GOVERN_"))}
    kept.pop("DATABASE_URL", None)
    return kept


if __name__ == "__main__":
    sys.exit(main())
