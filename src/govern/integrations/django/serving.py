"""The refusal to serve: of the guard, which every server builds, and of runserver before it does anything else."""

from __future__ import annotations

import os
import threading

from django.utils.autoreload import DJANGO_AUTORELOAD_ENV

from govern.core.report import EXIT_REFUSED
from govern.integrations.django.database import read_url
from govern.integrations.django.setting import read_setting
from govern.integrations.process import validate_or_exit


def validate_before_serving() -> None:
    """Ends the process, as ``validate_or_exit`` says, where the database is not the right one.

    Below runserver's reloader SystemExit would end a thread alone, and the process would wait, serving nothing:
    there it ends as Django ends it for a port that is taken.
    """
    setting = read_setting()
    try:
        validate_or_exit(read_url(setting.database), **setting.startup)
    except SystemExit:
        if DJANGO_AUTORELOAD_ENV in os.environ and threading.current_thread() is not threading.main_thread():
            os._exit(EXIT_REFUSED)
        raise
