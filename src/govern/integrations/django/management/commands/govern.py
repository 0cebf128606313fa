"""``manage.py govern COMMAND …``: govern's own command line on the database that the setting ``GOVERN`` names."""

from __future__ import annotations

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from govern.errors import GovernError
from govern.integrations.django.database import read_url
from govern.integrations.django.setting import read_setting

_GOVERN = ("-P", "-c", "from govern.cli.main import main; main()")


class Command(BaseCommand):
    """Becomes ``govern``. The URL goes by the environment: a command line is for all to see."""

    help = "Runs govern (health, migrate, drift, …) on this project's database."

    def run_from_argv(self, argv: list[str]) -> None:
        """Options, ``--help``, signals and the exit code are govern's own: nothing of Django's is left."""
        try:
            url = read_url(read_setting().database)
        except GovernError as error:
            sys.stderr.write(f"error: {error}\n")
            sys.exit(error.exit_code)
        command = [sys.executable, *_GOVERN, *argv[2:]]
        os.execve(command[0], command, {**os.environ, "DATABASE_URL": url})  # noqa: S606  (no shell is meant)

    def handle(self, *_: Any, **__: Any) -> None:
        raise CommandError(
            "govern takes the place of the process: it is started as manage.py govern, not called"
        )
