"""``govern init`` on the projects that ``alembic init`` makes, with the project's own interpreter."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path

import jsonschema
import pytest

from govern import config
from govern.actions.init import Adoption, init
from govern.errors import ConfigurationError, NotPermitted, Refused
from govern.revisions.runner import Runner
from govern.source.manifest.document import parse_document
from govern.source.manifest.json_schema import render_json_schema

NEW_STYLE = """\
from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase):
    pass

class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)

class Post(Base):
    __tablename__ = "posts"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))

class Comment(Base):
    __tablename__ = "comments"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id))
"""
OLD_STYLE = """\
from sqlalchemy import Column, ForeignKey, Integer
from sqlalchemy.orm import declarative_base

Base = declarative_base()

class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)

class Post(Base):
    __tablename__ = "posts"
    id = Column(Integer, primary_key=True)
    user_id = Column(ForeignKey("users.id"))

class Comment(Base):
    __tablename__ = "comments"
    id = Column(Integer, primary_key=True)
    user_id = Column(ForeignKey("users.id"))
"""
TAKES_SHOP_DB = """\
import os
url = os.environ['SHOP_DB'].replace("postgresql:", "postgresql+asyncpg:")
config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
"""
TODAY = date(2030, 5, 17)
TABLES = ("comments", "posts", "users")


def make_project(root: Path, files: dict[str, str], *, template: str = "generic") -> Path:
    root.mkdir(exist_ok=True)
    subprocess.run(
        [sys.executable, "-m", "alembic", "init", "--template", template, "migrations"],
        cwd=root,
        check=True,
        capture_output=True,
    )
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def adopt(root: Path) -> Adoption:
    return init(config.load(start=root, environ={}), today=TODAY, narrate=lambda _: None)


def read_files(root: Path) -> dict[Path, bytes]:
    return {
        path: path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def is_clean(adoption: Adoption) -> bool:
    return all(entry.status == "passed" for entry in adoption.entries)


@pytest.mark.parametrize("template", ["generic", "async", "pyproject", "pyproject_async"])
@pytest.mark.parametrize("models", [NEW_STYLE, OLD_STYLE], ids=["new", "old"])
def test_a_fresh_alembic_project_is_adopted_without_touching_a_file(
    tmp_path: Path, template: str, models: str
) -> None:
    root = make_project(tmp_path / "p", {"models.py": models}, template=template)
    before = read_files(root)
    adoption = adopt(root)
    assert is_clean(adoption), adoption
    assert adoption.models == "models:Base.metadata"
    after = read_files(root)
    assert {path: after[path] for path in before} == before
    assert {str(path.relative_to(root)) for path in after.keys() - before.keys()} == set(adoption.written)
    settings = config.load(start=root, environ={})
    assert settings.models == "models:Base.metadata"
    assert Runner(settings).describe().tables == TABLES


def test_a_package_of_models_is_adopted(tmp_path: Path) -> None:
    head, users, rest = NEW_STYLE.partition("class User")
    user, posts, post = (users + rest).partition("class Post")
    files = {
        "app/__init__.py": "",
        "app/db.py": head,
        "app/models/__init__.py": "from app.models.user import User\nfrom app.models.post import Post\n",
        "app/models/user.py": "from app.db import *\n" + user,
        "app/models/post.py": "from app.db import *\nfrom app.models.user import User\n" + posts + post,
    }
    root = make_project(tmp_path / "p", files)
    adoption = adopt(root)
    assert is_clean(adoption), adoption
    assert Runner(config.load(start=root, environ={})).describe().tables == TABLES


def test_a_source_folder_on_alembics_path_is_adopted(tmp_path: Path) -> None:
    files = {"src/shop/__init__.py": "", "src/shop/models.py": OLD_STYLE}
    root = make_project(tmp_path / "p", files)
    ini = root / "alembic.ini"
    ini.write_text(ini.read_text().replace("prepend_sys_path = .", "prepend_sys_path = src"))
    adoption = adopt(root)
    assert is_clean(adoption), adoption
    assert adoption.models == "shop.models:Base.metadata"


def test_an_env_that_has_its_metadata_is_left_in_charge(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"models.py": NEW_STYLE})
    env = root / "migrations/env.py"
    env.write_text(
        env.read_text().replace(
            "target_metadata = None", "import models\ntarget_metadata = models.Base.metadata"
        )
    )
    adoption = adopt(root)
    assert is_clean(adoption), adoption
    assert adoption.models is None
    assert config.load(start=root, environ={}).models is None


def test_models_nobody_imports_together_are_a_finding_that_names_them(tmp_path: Path) -> None:
    head, users, rest = NEW_STYLE.partition("class User")
    user, _, _ = (users + rest).partition("class Post")
    files = {"base.py": head, "user.py": "from base import *\n" + user}
    files["post.py"] = "from base import *\nclass Note(Base):\n    __tablename__ = 'notes'\n"
    root = make_project(tmp_path / "p", files)
    adoption = adopt(root)
    [finding] = (finding for entry in adoption.entries for finding in entry.findings)
    assert finding.rule.id == "startup.unclear-metadata"
    assert "the models of base.Base are in post, user, and no module imports all of them" in finding.message
    assert "# TO DECIDE" in (root / "govern.toml").read_text()
    assert config.load(start=root, environ={}).models is None


def test_models_that_cannot_be_imported_are_a_finding(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"models.py": "import no_such_library\n" + NEW_STYLE})
    adoption = adopt(root)
    [finding] = (finding for entry in adoption.entries for finding in entry.findings)
    assert finding.rule.id == "startup.unreadable-project"
    assert "no_such_library" in finding.message + finding.why
    assert adoption.next == ("rm govern.toml && govern init",)


def test_tables_made_in_a_loop_are_counted(tmp_path: Path) -> None:
    columns = "'id': Column(Integer, primary_key=True)"
    loop = f"for name in 'likes', 'visits':\n    type(name, (Base,), {{'__tablename__': name, {columns}}})\n"
    root = make_project(tmp_path / "p", {"models.py": OLD_STYLE + loop})
    assert "models:Base.metadata, 5 tables" in [entry.reason for entry in adopt(root).entries]


def test_the_critical_tables_are_those_that_others_reference(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"models.py": NEW_STYLE})
    adopt(root)
    manifest = (root / "schema/governance.yaml").read_text()
    assert '\ncritical_tables:\n  - name: "users"   # referenced by 2 tables\n' in manifest
    assert '"posts"' not in manifest


def test_editors_find_what_the_manifest_may_say_beside_it_without_a_network(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"models.py": NEW_STYLE})
    adoption = adopt(root)
    assert "schema/governance.schema.json" in adoption.written
    first, *_ = (root / "schema/governance.yaml").read_text().splitlines()
    assert first == "# yaml-language-server: $schema=governance.schema.json"
    schema = json.loads((root / "schema/governance.schema.json").read_text())
    assert schema == render_json_schema()
    proposed = parse_document((root / "schema/governance.yaml").read_text()).values
    jsonschema.validate(json.loads(json.dumps(proposed)), schema)


def test_an_existing_manifest_is_kept(tmp_path: Path) -> None:
    root = make_project(
        tmp_path / "p", {"models.py": NEW_STYLE, "schema/governance.yaml": "critical_tables: []\n"}
    )
    assert adopt(root).written == ("govern.toml", "backups/.gitignore")
    assert (root / "schema/governance.yaml").read_text() == "critical_tables: []\n"


@pytest.mark.parametrize(
    ("name", "text"), [("govern.toml", ""), ("pyproject.toml", '[tool.govern]\nmodels = "a:b"\n')]
)
def test_a_governed_project_is_not_adopted_again(tmp_path: Path, name: str, text: str) -> None:
    root = make_project(tmp_path / "p", {"models.py": NEW_STYLE, name: text})
    before = read_files(root)
    with pytest.raises(Refused, match="governed already"):
        adopt(root)
    assert read_files(root) == before


def test_without_alembic_the_error_says_how_to_begin(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        adopt(tmp_path)
    assert caught.value.next == "alembic init migrations, then govern init"
    assert list(tmp_path.iterdir()) == []


def test_an_alembic_project_further_down_is_pointed_to(tmp_path: Path) -> None:
    make_project(tmp_path / "backend", {})
    with pytest.raises(ConfigurationError) as caught:
        adopt(tmp_path)
    assert caught.value.next == "cd backend && govern init"


def test_an_env_with_a_syntax_error_is_named(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"migrations/env.py": "def (:\n"})
    with pytest.raises(ConfigurationError, match=r"migrations/env\.py is not valid Python"):
        adopt(root)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"models.py": NEW_STYLE})
    (root / "schema").write_text("a file where a folder has to be")
    with pytest.raises(NotPermitted, match=r"governance\.yaml could not be written"):
        adopt(root)
    assert not (root / "govern.toml").exists()


def test_the_next_commands_lead_from_here(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"models.py": NEW_STYLE})
    assert adopt(root).next == (
        "export DATABASE_URL=postgresql://user@host/database",
        "govern doctor",
        "govern revision -m 'first tables'",
        "govern lock",
        "govern check",
        "govern migrate",
    )
    (root / "govern.toml").unlink()
    (root / "migrations/versions/1_first.py").write_text('revision = "1"\n')
    with contextlib.closing(sqlite3.connect(root / "app.db")) as made_by_hand:
        made_by_hand.execute("CREATE TABLE users (id INTEGER PRIMARY KEY)")
    adoption = init(
        config.load(start=root, url=f"sqlite:///{root}/app.db", environ={}),
        today=TODAY,
        narrate=lambda _: None,
    )
    assert adoption.next == ("govern doctor", "govern lock", "govern check", "govern baseline")


def test_backups_stay_out_of_git_by_a_file_of_their_own(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"models.py": NEW_STYLE})
    assert "backups/.gitignore" in adopt(root).written
    assert (root / "backups/.gitignore").read_text().endswith("\n*\n")
    assert (root / "backups").stat().st_mode & 0o777 == 0o700
    shutil.rmtree(root / "backups")
    (root / "govern.toml").unlink()
    (root / ".gitignore").write_text("/backups/*\n")
    assert "backups/.gitignore" not in adopt(root).written


def _with_settings(root: Path, url: str) -> Path:
    """An env.py that takes its URL from elsewhere than alembic.ini."""
    env = root / "migrations/env.py"
    env.write_text(
        env.read_text().replace(
            "target_metadata = None",
            f"import os\nconfig.set_main_option('sqlalchemy.url', {url})\ntarget_metadata = None",
        )
    )
    return root


def test_the_variable_that_env_takes_its_url_from_is_configured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_DB", "postgresql://shop:s3cr%2Ft@127.0.0.1:1/shop")
    root = make_project(tmp_path / "p", {"models.py": NEW_STYLE}, template="async")
    env = root / "migrations/env.py"
    env.write_text(
        env.read_text().replace("target_metadata = None", f"{TAKES_SHOP_DB}target_metadata = None")
    )
    adoption = adopt(root)
    [database] = (entry for entry in adoption.entries if entry.name == "database")
    assert database.reason == "postgresql://shop@127.0.0.1:1/shop, by SHOP_DB, as env.py has it"
    assert tomllib.loads((root / "govern.toml").read_text())["url_env"] == "SHOP_DB"
    assert "s3cr" not in repr(adoption) + (root / "govern.toml").read_text()
    (root / "govern.toml").unlink()
    monkeypatch.delenv("SHOP_DB")
    monkeypatch.setenv("SHOP_DB_PARTS", "s3cr%2Ft")
    env.write_text(
        env.read_text().replace("os.environ['SHOP_DB']", "'postgresql://shop:s3cr%2Ft@127.0.0.1:1/shop'")
    )
    asked = adopt(root)
    assert asked.next[0].startswith("export DATABASE_URL=postgresql://shop@127.0.0.1:1/shop")
    assert not {"url", "url_env"} & tomllib.loads((root / "govern.toml").read_text()).keys()
    assert "s3cr" not in repr(asked) + (root / "govern.toml").read_text()
