"""How the running application last answered, as the monitor's record and the ledger's newest run have it."""

from __future__ import annotations

import json
from datetime import datetime

from govern.core.probed import Probed, find_newest, sum_up


def read_newest(document: str | None, run: str | None) -> Probed | None:
    """Of the monitor's document and a run, as JSON texts; what a govern of another version wrote is left out."""
    return find_newest((_read(document), _read_run(run)))


def _read(document: str | None) -> Probed | None:
    try:
        return Probed.from_json(json.loads(document)) if document else None
    except (KeyError, TypeError, ValueError):
        return None


def _read_run(text: str | None) -> Probed | None:
    try:
        run = json.loads(text) if text else {}
        at = run.get("finished_at")
        return sum_up(
            run.get("probes", ()), at=datetime.fromisoformat(at) if at else None, by=run.get("command", "")
        )
    except (KeyError, TypeError, ValueError):
        return None
