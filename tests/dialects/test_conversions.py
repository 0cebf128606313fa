"""Columns of another type: what is in the way is known before, and whatever is converted comes back bit for bit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from govern.core.conversion import Conversion, Proof
from govern.core.schema_repair import KeptValues
from govern.database.engines import dialect_of
from govern.database.row_spelling import RowTransaction
from govern.database.url import DatabaseUrl
from govern.database.version_table import VersionTable

CREATE = 'CREATE TABLE "odd ta\'ble" (id {key} PRIMARY KEY, note text, "v""al" text)'
TABLE, COLUMN = '"odd ta\'ble"', '"v""al"'
VERSION = VersionTable("alembic_version", None)
RUN = "20261121T210000Z-abcdef"
TEXTS = st.one_of(
    st.none(),
    st.integers(-(2**33), 2**33).map(str),
    st.sampled_from(
        ("007", " 7", "7 ", "+7", "-0", "", "abc", "1e3", "0x10", "1_000", "9" * 30, "٣", "1.0", "NaN")
    ),
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=4),
)


@dataclass
class Converted:
    """A table of texts, and what is done to it."""

    url: DatabaseUrl

    def __post_init__(self) -> None:
        self.dialect = dialect_of(self.url)
        self.place = ("public" if self.is_postgresql else "", "odd ta'ble")
        self.column = 'v"al'
        self.kind = "text" if self.is_postgresql else "TEXT"

    @property
    def is_postgresql(self) -> bool:
        return self.dialect.name == "postgresql"

    def fill(self, texts: Mapping[str, str | None]) -> None:
        with self.work() as (connection, spelling):
            connection.execute(f"DROP TABLE IF EXISTS {TABLE}")
            if self.is_postgresql:
                connection.execute("DROP SCHEMA IF EXISTS govern_backup CASCADE")
            connection.execute(CREATE.format(key="text"))
            mark = spelling.placeholder
            for key, value in texts.items():
                connection.execute(f"INSERT INTO {TABLE} VALUES ({mark}, 'n', {mark})", (key, value))

    def work(self) -> Any:
        return self.dialect.schema_work().working(self.url, VERSION, lock_timeout_seconds=5)

    def conversion(self, to: str, by: str | None = None) -> Conversion:
        engine = self.dialect.schema_work()
        by = by or engine.cast(COLUMN, self.kind, to)
        return Conversion(place=self.place, column=self.column, was=self.kind, to=to, by=by, takes_null=True)

    def prove(self, to: str, by: str | None = None) -> Proof:
        return self.dialect.schema_work().prove(self.url, self.conversion(to, by), ("id",), examples=1000)

    def convert(self, to: str) -> KeptValues:
        kept = KeptValues(place=self.place, column=self.column, type=self.kind, key=("id",), number=0)
        conversion = self.conversion(to)
        with self.work() as work:
            self.dialect.schema_work().keep_values(work, RUN, kept, (conversion,))
            self._retype(work, to, conversion.by)
        return kept

    def take_back(self, kept: KeptValues) -> None:
        engine = self.dialect.schema_work()
        with self.work() as work:
            self._retype(work, self.kind, engine.give_back(RUN, kept))
            engine.forget_values(work, RUN, kept)

    def _retype(self, work: RowTransaction, to: str, by: str) -> None:
        connection = work.connection
        if self.is_postgresql:
            connection.execute(
                f"ALTER TABLE {TABLE} ALTER COLUMN {COLUMN} TYPE {to} USING CAST(({by}) AS {to})"
            )
            return
        connection.execute(f"CREATE TABLE new (id TEXT PRIMARY KEY, note TEXT, {COLUMN} {to})")
        connection.execute(f"INSERT INTO new SELECT id, note, {by} FROM {TABLE}")
        connection.execute(f"DROP TABLE {TABLE}")
        connection.execute(f"ALTER TABLE new RENAME TO {TABLE}")

    def rows(self) -> dict[str, Any]:
        with self.dialect.connect(self.url) as connection:
            return dict(connection.rows(f"SELECT id, {COLUMN} FROM {TABLE}"))

    def delete(self, keys: Iterator[str]) -> None:
        with self.work() as (connection, spelling):
            for key in keys:
                connection.execute(f"DELETE FROM {TABLE} WHERE id = {spelling.placeholder}", (key,))


@pytest.fixture(params=["postgresql", "sqlite"])
def converted(request: pytest.FixtureRequest) -> Converted:
    return Converted(request.getfixturevalue(f"{request.param}_database"))


def test_random_texts_are_numbers_for_a_while_and_come_back_as_they_were(
    converted: Converted, request: pytest.FixtureRequest
) -> None:
    @settings(
        max_examples=600 if request.config.getoption("--long-faults") else 25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        phases=(Phase.generate,),
    )
    @given(st.lists(TEXTS, max_size=12), st.sampled_from(("integer", "bigint", "numeric")))
    def property_(texts: list[str | None], to: str) -> None:
        kind = to if converted.is_postgresql else to.upper()
        converted.fill({f"k'{number}": text for number, text in enumerate(texts)})
        in_the_way = [one for one in converted.prove(kind).misfits if one.is_in_the_way]
        converted.delete(key for one in in_the_way for key in one.examples)
        before = converted.rows()
        assert len(before) == len(texts) - sum(one.rows for one in in_the_way)
        respelled = {key for one in converted.prove(kind).misfits for key in one.examples}
        kept = converted.convert(kind)
        numbers = converted.rows()
        assert not any(isinstance(number, str) for number in numbers.values())
        assert all(
            before[key] is None or key in respelled or before[key] == str(numbers[key]) for key in before
        )
        converted.take_back(kept)
        assert converted.rows() == before

    property_()


def test_what_is_in_the_way_is_told_by_key_and_without_the_value(converted: Converted) -> None:
    converted.fill({"1": "7", "2": "secret", "3": "", "4": "99999999999999999999", "5": "007"})
    found = {
        one.why: one for one in converted.prove("integer" if converted.is_postgresql else "INTEGER").misfits
    }
    assert found["respelled"].examples == ("5",)
    assert "secret" not in str([one.described for one in found.values()])
    failing = [one for one in converted.prove("integer").misfits if one.why == "fails"]
    assert sorted(key for one in failing for key in one.examples) == ["2", "3", "4"]
    assert converted.rows()["2"] == "secret"


def test_an_expression_may_say_what_a_cast_cannot(converted: Converted) -> None:
    converted.fill({"1": "seven", "2": "8"})
    by = f"CASE {COLUMN} WHEN 'seven' THEN '7' ELSE {COLUMN} END"
    kind = "integer" if converted.is_postgresql else "INTEGER"
    assert [(one.why, one.rows) for one in converted.prove(kind, by).misfits] == [("respelled", 1)]
    nothing = f"CASE {COLUMN} WHEN 'seven' THEN NULL ELSE {COLUMN} END"
    assert [(one.why, one.examples) for one in converted.prove(kind, nothing).misfits] == [
        ("becomes-null", ("1",))
    ]
