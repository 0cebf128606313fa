"""Revisions that do something else tomorrow, or elsewhere: read from their text."""

from __future__ import annotations

from collections.abc import Iterator

from govern.checks.lint.pending import Pending
from govern.checks.lint.rules import CREATE_ALL, DEPENDS_ON_ENVIRONMENT
from govern.core.finding import Finding

_ENVIRONMENT = (
    "alembic.context.get_x_argument",
    "os.environ",
    "os.environb",
    "os.getenv",
    "os.uname",
    "platform.",
    "socket.gethostname",
    "sys.argv",
    "sys.platform",
)


def find_unsteady(pending: Pending) -> Iterator[Finding]:
    """Calls of create_all and drop_all, and what is read from the environment; each once a line."""
    for file in pending.revisions:
        text = pending.texts[file.revision]
        for operation in (*text.upgrade, *text.downgrade):
            if operation.name in ("create_all", "drop_all"):
                yield Finding.of(
                    CREATE_ALL,
                    pending.subject(file.revision, "revision", file.revision, line=operation.line),
                    f"revision {file.revision} calls {operation.name}()",
                )
        lines = {
            mention.line: mention.name for mention in text.mentions if mention.name.startswith(_ENVIRONMENT)
        }
        for line, name in sorted(lines.items()):
            yield Finding.of(
                DEPENDS_ON_ENVIRONMENT,
                pending.subject(file.revision, "revision", file.revision, line=line),
                f"revision {file.revision} reads {name}",
            )
