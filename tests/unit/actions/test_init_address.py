"""Which database ``govern init`` configures, by what the project's files say."""

from __future__ import annotations

from pathlib import Path

import pytest

from govern import config
from govern.actions.init.address import Address, find_address
from govern.actions.init.modules import read_project_modules
from govern.revisions.protocol import Destination

ASK = "export DATABASE_URL=postgresql://user@host/database"


def find(root: Path, destination: Destination | None = None, *, url: str | None = None) -> Address:
    settings = config.load(start=root, url=url, environ={})
    return find_address(settings, destination, read_project_modules(settings))


IMPORTS = """\
import os
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine
"""


def write_app(root: Path, engine: str) -> None:
    (root / "app.py").write_text(f"{IMPORTS}URL = 'sqlite:///shop.db'\nengine = {engine}\n")


@pytest.mark.parametrize(
    "engine",
    [
        "create_engine('sqlite:///shop.db')",
        "create_async_engine(URL, echo=True)",
        "create_engine(os.getenv('DATABASE_URL', 'sqlite:///shop.db'))",
    ],
)
def test_the_database_that_the_application_opens_is_taken(tmp_path: Path, engine: str) -> None:
    write_app(tmp_path, engine)
    found = find(tmp_path)
    assert (found.url, found.next) == ("sqlite:///shop.db", None)
    assert found.summary == "sqlite:///shop.db, which the application makes its engine for"


@pytest.mark.parametrize(
    "engine",
    [
        "create_engine('sqlite://')",
        "create_engine('mysql://app@db/shop')",
        "create_engine('postgresql://app:s3cret@db/shop')",
        "create_engine(os.environ['SHOP_DB'])",
        "create_engine(f'sqlite:///{os.getcwd()}/shop.db')",
        "dict(url='sqlite:///shop.db')",
    ],
)
def test_what_is_secret_computed_or_no_database_for_govern_is_asked_for(tmp_path: Path, engine: str) -> None:
    write_app(tmp_path, engine)
    found = find(tmp_path)
    assert (found.url, found.url_env, found.next) == (None, None, ASK)
    assert "s3cret" not in repr(found)


def test_two_engines_are_nobodys_to_choose_from(tmp_path: Path) -> None:
    write_app(tmp_path, "create_engine('sqlite:///shop.db')\nother = create_engine('sqlite:///other.db')")
    assert find(tmp_path).next == ASK


def test_where_env_goes_counts_more_than_an_engine(tmp_path: Path) -> None:
    write_app(tmp_path, "create_engine('sqlite:///shop.db')")
    place = "postgresql://app@db/shop"
    whole = find(tmp_path, Destination(place=place, is_whole=True, variable=None))
    assert (whole.url, whole.url_env) == (place, None)
    named = find(tmp_path, Destination(place=place, is_whole=False, variable="SHOP_DB"))
    assert (named.url, named.url_env) == (None, "SHOP_DB")
    usual = find(tmp_path, Destination(place=place, is_whole=False, variable="DATABASE_URL"))
    assert (usual.url, usual.url_env, usual.next) == (None, None, None)
    foreign = find(tmp_path, Destination(place="mysql://app@db/shop", is_whole=True, variable="SHOP_DB"))
    assert (foreign.url, foreign.url_env, foreign.next) == (None, None, ASK)


def test_what_govern_is_given_counts_most(tmp_path: Path) -> None:
    place = Destination(place="postgresql://app@db/shop", is_whole=True, variable="SHOP_DB")
    given = find(tmp_path, place, url="postgresql://app:s3cret@db/other")
    assert given == Address(summary="postgresql://app:***@db/other, by --url or DATABASE_URL")
