"""The case corpus once more, of tenants: a change inside of one schema is told as it is of a whole database.

Both sides are schemas of different names, each in a database of its own. What they are built of names no schema, as
the revisions of tenants do; extensions are in ``public``, where tenants share them. One case of fifteen runs always,
all with --long-faults.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet

from govern.core.changes import diff
from govern.core.identifiers import quote
from govern.core.snapshot import Snapshot
from govern.database.connection import Connection
from govern.database.postgresql import catalog, server
from govern.database.postgresql.fingerprint import read_fingerprint
from govern.database.url import DatabaseUrl
from govern.database.version_table import VersionTable
from tests.dialects.test_drift_cases import (
    CASES,
    Undo,
    extensions,
    has_extension,
    is_known,
    read_expectation,
)
from tests.fixtures.planned import plan_once
from tests.fixtures.server import wanted_major

__all__ = ["extensions"]

TENANTS = ("tenant_a", 'Tenant-B."x"')
ONE_OF = 15
_PUBLIC = re.compile(r"\bpublic\.")
_SCHEMA_PUBLIC = re.compile(r"SCHEMA public(?=;| GRANT)")
_EXTENSION = re.compile(r"CREATE EXTENSION \w+")


@pytest.fixture(scope="module")
def connections(server_url: DatabaseUrl) -> Iterator[tuple[Connection, Connection]]:
    """Two empty tenants, used by one case after another: what a case does is rolled back."""
    with ExitStack() as stack:
        first, second = (_open_tenant(server_url, name, stack) for name in TENANTS)
        yield first, second


def _open_tenant(server_url: DatabaseUrl, name: str, stack: ExitStack) -> Connection:
    url = server_url.with_database(f"test_{secrets.token_hex(6)}")
    server.create_database(url)
    stack.callback(server.drop_database, url)
    with server.connect(url) as connection:
        connection.execute(f"CREATE SCHEMA {quote(name)}")
    tenant = stack.enter_context(server.connect(url.with_schema(name)))
    plan_once(tenant.driver)  # type: ignore[arg-type]  # the catalog is read thousands of times
    return tenant


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The cases that a server of the run's major version can be told, and that change something inside of a schema."""
    if "case" in metafunc.fixturenames:
        major = wanted_major(metafunc.config)
        cases = [case for case in CASES if is_known(case, major) and expected_of(case, major)]
        metafunc.parametrize("case", [_mark(case, number) for number, case in enumerate(cases)])


def _mark(case: Path, number: int) -> ParameterSet:
    marks = [pytest.mark.long_fault] if number % ONE_OF else []
    return pytest.param(case, id=f"{case.parent.name}/{case.name}", marks=marks)


def expected_of(case: Path, major: int) -> list[tuple[str, str, str]]:
    """What is reported of it, as far as that is in the schema."""
    changes = read_expectation(case, major)["changes"]
    return sorted((rule, namespace, name) for rule, namespace, name in changes if namespace == "public")


def test_a_change_inside_of_a_tenant_is_told_as_in_a_whole_database(
    case: Path,
    connections: tuple[Connection, Connection],
    extensions: frozenset[str],
    pytestconfig: pytest.Config,
) -> None:
    if not has_extension(case, extensions):
        pytest.skip("the server has no such extension")
    first, second = connections
    with stand_up(case / "a.sql", first) as a, stand_up(case / "a.sql", second) as same:
        assert diff(a.snapshot, same.snapshot) == ()
    with stand_up(case / "b.sql", first) as b, stand_up(case / "b.sql", second) as same:
        assert diff(b.snapshot, same.snapshot) == ()
        changes = diff(a.snapshot, same.snapshot)
    told = sorted((f"{one.key.kind}-{one.action}", one.key.namespace, one.key.name) for one in changes)
    assert told == expected_of(case, wanted_major(pytestconfig))
    assert a.fingerprint != b.fingerprint


@dataclass(frozen=True)
class Tenant:
    """A schema that stands."""

    snapshot: Snapshot
    fingerprint: str


@contextmanager
def stand_up(file: Path, connection: Connection) -> Iterator[Tenant]:
    """The tenant as the file has it, until the end of the block."""
    home = connection.schema
    assert home is not None
    table = VersionTable(namespace=home, home=home)
    with suppress(Undo), connection.transaction():
        connection.execute(_tell(home, file.read_text(encoding="utf-8")))
        yield Tenant(catalog.read_snapshot(connection, table), read_fingerprint(connection, table))
        raise Undo


def _tell(home: str, script: str) -> str:
    """The script as that of a tenant."""
    shared = _EXTENSION.sub(r"\g<0> SCHEMA public", _SCHEMA_PUBLIC.sub(f"SCHEMA {quote(home)}", script))
    return _PUBLIC.sub("", shared)
