"""Celery: workers and the beat that do not start on the wrong schema.

A worker has no page to answer health on: ``govern health`` is its probe.
"""

from __future__ import annotations

from typing import Any, Unpack

from celery import Celery, signals

from govern.integrations.options import StartupOptions
from govern.integrations.process import validate_or_exit
from govern.startup import HasUrl


def init_app(app: Celery, engine_or_url: HasUrl | str, **options: Unpack[StartupOptions]) -> None:
    """Validates when a worker or the beat of ``app`` starts, before it takes a task and before it forks.

    Those who only send tasks are not asked. ``options``: those of ``validate_on_startup``. The process ends as
    ``validate_or_exit`` says: an exception would be logged and forgotten (``Signal.send`` in
    celery/utils/dispatch/signal.py).
    """

    def validate(sender: Any, **_: object) -> None:
        if sender.app is app:
            validate_or_exit(engine_or_url, **options)

    for signal in (signals.worker_init, signals.beat_init):
        signal.connect(validate, weak=False)
