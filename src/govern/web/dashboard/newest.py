"""The newest backup on this machine, for who wants to know whether there is a way back."""

from __future__ import annotations

from dataclasses import dataclass

from govern.actions.backup.store import list_backups
from govern.config import Settings
from govern.core.backup import Backup
from govern.core.wording import first_line
from govern.errors import GovernError
from govern.web.look import Hanging, SharedLook

_FRESH_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Newest:
    """What is there."""

    newest: Backup | None = None
    trouble: str = ""
    """Why that is not known."""


class NewestBackup:
    """Looks at the folder of backups, once in ten seconds at most; one that hangs keeps no page from coming."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._look = SharedLook[Newest](self._read, fresh_seconds=_FRESH_SECONDS)

    def read(self) -> Newest:
        """Raises nothing."""
        try:
            return self._look.result()
        except Hanging:
            return Newest(trouble="the folder of backups does not answer")

    def close(self) -> None:
        """Waits a second for what is under way."""
        self._look.close()

    def _read(self) -> Newest:
        try:
            backups = list_backups(self._settings)
        except (GovernError, OSError) as error:
            return Newest(trouble=first_line(error))
        return Newest(
            newest=next((one for one in backups if one.manifest.target == self._settings.target), None)
        )
