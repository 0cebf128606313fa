"""The system checks: ``manage.py check --database default`` holds the database against the application."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core import checks

from govern.core.finding import Finding, Severity
from govern.errors import GovernError, SchemaRefused
from govern.integrations.django.database import read_url
from govern.integrations.django.serving import validate_before_serving
from govern.integrations.django.setting import read_setting
from govern.integrations.options import StartupOptions
from govern.startup import validate_on_startup

GUARD = "govern.integrations.django.middleware.SchemaGuard"
_LEVELS = {
    Severity.INFO: (checks.INFO, "govern.I001"),
    Severity.WARNING: (checks.WARNING, "govern.W001"),
    Severity.ERROR: (checks.ERROR, "govern.E001"),
    Severity.CRITICAL: (checks.CRITICAL, "govern.E001"),
}


def check_guard(**_: Any) -> list[checks.CheckMessage]:
    """Whether anything refuses to serve at all; under runserver it refuses here.

    For runserver goes on to look for Django's own migrations, which creates a SQLite file that is not there.
    """
    if GUARD in settings.MIDDLEWARE:
        if sys.argv[1:2] == ["runserver"]:
            validate_before_serving()
        return []
    message = "the application would serve on a schema it was not written for"
    return [checks.Warning(message, hint=f"put {GUARD!r} first in MIDDLEWARE", id="govern.W002")]


def check_schema(databases: Sequence[str] | None = None, **_: Any) -> list[checks.CheckMessage]:
    """The findings of ``validate_on_startup``, each with its next command as hint.

    Only where the database is asked for, and not before ``manage.py migrate``, which is to make it right.
    """
    if not databases or sys.argv[1:2] == ["migrate"]:
        return []
    try:
        setting = read_setting()
        if setting.database not in databases:
            return []
        options: StartupOptions = {**setting.startup, "on_invalid": "refuse", "wait_seconds": 0}
        findings = tuple(validate_on_startup(read_url(setting.database), **options).findings)
    except SchemaRefused as refusal:
        findings = tuple(finding for entry in refusal.entries for finding in entry.findings)
    except GovernError as error:
        return [checks.Error(f"{error.what}: {error.why}", hint=error.next, id="govern.E002")]
    return [_message(finding) for finding in findings]


def _message(finding: Finding) -> checks.CheckMessage:
    level, name = _LEVELS[finding.severity]
    return checks.CheckMessage(
        level, f"{finding.rule.id}: {finding.message}", hint=f"{finding.why}; next: {finding.remedy}", id=name
    )
