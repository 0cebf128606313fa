"""A URL that means one schema of a database: what libpq, SQLAlchemy and people read in it."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.engine import make_url

from govern.database.url import DatabaseUrl


def read_options(url: DatabaseUrl) -> str:
    return str(conninfo_to_dict(url.conninfo)["options"])


def test_its_sessions_look_for_names_in_the_schema_first() -> None:
    url = DatabaseUrl.parse("postgresql://app:s%40cret@db/app?sslmode=require").with_schema("tenant_a")
    assert url.schema == "tenant_a"
    assert read_options(url) == "-csearch_path=tenant_a,public"
    assert conninfo_to_dict(url.conninfo)["sslmode"] == "require"
    assert make_url(url.text).query["options"] == "-csearch_path=tenant_a,public"
    assert (
        url.redacted == "postgresql://app:***@db/app?sslmode=require&options=-csearch_path%3Dtenant_a,public"
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [("Tenant A", '"Tenant\\ A"'), ('a"b', '"a""b"'), ("a\\b", '"a\\\\b"'), ("täst", '"täst"')],
)
def test_a_name_that_is_no_word_is_quoted_for_the_server(name: str, said: str) -> None:
    url = DatabaseUrl.parse("postgresql://db/app").with_schema(name)
    assert read_options(url) == f"-csearch_path={said},public"


def test_options_that_are_there_stay() -> None:
    url = DatabaseUrl.parse("postgresql://db/app?options=-cstatement_timeout%3D5s").with_schema("a")
    assert read_options(url) == "-cstatement_timeout=5s -csearch_path=a,public"


def test_another_database_of_the_server_is_asked_for_the_same_schema() -> None:
    url = DatabaseUrl.parse("postgresql://db/app").with_schema("a").with_database("copy")
    assert (url.schema, url.database) == ("a", "copy")
    assert dict(parse_qsl(urlsplit(url.text).query)) == {"options": "-csearch_path=a,public"}


def test_without_a_schema_it_is_the_same_url() -> None:
    url = DatabaseUrl.parse("postgresql://db/app")
    assert url.with_schema(None) is url
