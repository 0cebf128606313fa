"""Finding a project's metadata by reading its files."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from govern.actions.init.metadata import (
    Candidate,
    count_references,
    env_declares_metadata,
    find_candidates,
)
from govern.actions.init.modules import read_modules

NEW_BASE = "from sqlalchemy.orm import DeclarativeBase\nclass Base(DeclarativeBase): pass\n"
OLD_BASE = "from sqlalchemy.ext.declarative import declarative_base\nBase = declarative_base()\n"


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def model(name: str, table: str, *columns: str) -> str:
    body = "".join(f"    {column}\n" for column in columns)
    return f'class {name}(Base):\n    __tablename__ = "{table}"\n    id = Column(Integer)\n{body}'


def search(root: Path, files: dict[str, str], *path: str) -> tuple[Candidate, ...]:
    write(root, files)
    return find_candidates(
        read_modules(
            root, search_path=[root, *(root / part for part in path)], leave_out=[root / "migrations"]
        )
    )


def find_models(root: Path, files: dict[str, str], *path: str) -> str | None:
    [candidate] = (found for found in search(root, files, *path) if found.model_modules)
    return candidate.models


def test_a_large_project_is_searched_in_seconds(tmp_path: Path) -> None:
    names = [f"m{number}" for number in range(150)]
    imports = "".join(f"import app.{name}\n" for name in names)
    metadatas = "from sqlalchemy import MetaData\nmetadata = MetaData()\n"
    files = {f"app/{name}.py": metadatas + imports for name in names} | {"app/__init__.py": ""}
    started = time.process_time()
    assert len(search(tmp_path, files)) == len(names)
    assert (
        time.process_time() - started < 5
    )  # each metadata once asked every module for all that it loads: minutes


@pytest.mark.parametrize("base", [NEW_BASE, OLD_BASE])
def test_a_flat_file_of_models(tmp_path: Path, base: str) -> None:
    assert find_models(tmp_path, {"models.py": base + model("User", "users")}) == "models:Base.metadata"


def test_a_base_in_one_module_and_models_in_another(tmp_path: Path) -> None:
    files = {
        "app/__init__.py": "",
        "app/db.py": NEW_BASE,
        "app/models.py": "from .db import Base\n" + model("User", "users"),
    }
    assert find_models(tmp_path, files) == "app.models:Base.metadata"


def test_a_package_whose_init_imports_every_model(tmp_path: Path) -> None:
    files = {
        "app/__init__.py": "",
        "app/models/__init__.py": "from app.models.user import User\nfrom .post import *\n",
        "app/models/base.py": OLD_BASE,
        "app/models/user.py": "from app.models.base import Base\n" + model("User", "users"),
        "app/models/post.py": "from .base import Base\n" + model("Post", "posts"),
        "app/main.py": "from app.models import User\nimport app.settings\n",
        "app/settings.py": "",
    }
    assert find_models(tmp_path, files) == "app.models:User.metadata"


def test_a_package_that_imports_its_submodules_by_walking_them(tmp_path: Path) -> None:
    files = {
        "app/models/__init__.py": (
            "import importlib, pkgutil\nfrom .base import Base\n"
            "for _, name, _ in pkgutil.iter_modules(__path__):\n"
            "    importlib.import_module(f'{__name__}.{name}')\n"
        ),
        "app/models/base.py": NEW_BASE,
        "app/models/user.py": "from .base import Base\n" + model("User", "users"),
        "app/models/post.py": "from .base import Base\n" + model("Post", "posts"),
    }
    assert find_models(tmp_path, files) == "app.models:Base.metadata"


def test_a_module_that_imports_only_submodules_reaches_the_base_through_them(tmp_path: Path) -> None:
    files = {
        "app/models/__init__.py": "import app.models.user\nimport app.models.post\n",
        "app/models/base.py": NEW_BASE,
        "app/models/user.py": "from .base import Base\n" + model("User", "users"),
        "app/models/post.py": "from .base import Base\n" + model("Post", "posts"),
    }
    assert find_models(tmp_path, files) == "app.models:base.Base.metadata"


def test_models_that_nothing_imports_together_are_left_undecided(tmp_path: Path) -> None:
    files = {
        "app/base.py": NEW_BASE,
        "app/user.py": "from app.base import Base\n" + model("User", "users"),
        "app/post.py": "from app.base import Base\n" + model("Post", "posts"),
    }
    [candidate] = search(tmp_path, files)
    assert candidate.models is None
    assert candidate.model_modules == {"app.user", "app.post"}


def test_an_import_for_type_checkers_or_inside_a_function_loads_nothing(tmp_path: Path) -> None:
    files = {
        "base.py": NEW_BASE,
        "user.py": "from base import Base\n" + model("User", "users"),
        "post.py": "from base import Base\n" + model("Post", "posts"),
        "main.py": (
            "from typing import TYPE_CHECKING\nfrom base import Base\nimport user\n"
            "if TYPE_CHECKING:\n    import post\ndef run():\n    import post\n"
            "if __name__ == '__main__':\n    import post\n"
        ),
    }
    [candidate] = search(tmp_path, files)
    assert candidate.models is None


def test_the_smallest_import_is_taken_not_the_application(tmp_path: Path) -> None:
    files = {
        "app/base.py": NEW_BASE,
        "app/user.py": "from app.base import Base\n" + model("User", "users"),
        "app/post.py": "from app.base import Base\n" + model("Post", "posts"),
        "app/all_models.py": "from app.base import Base\nfrom app import user, post\n",
        "app/server.py": "from app.all_models import Base\nfrom app import views\n",
        "app/views.py": "",
    }
    assert find_models(tmp_path, files) == "app.all_models:Base.metadata"


def test_a_source_folder_on_the_path_is_not_part_of_the_name(tmp_path: Path) -> None:
    files = {"src/shop/models.py": NEW_BASE + model("User", "users"), "src/shop/__init__.py": ""}
    assert find_models(tmp_path, files, "src") == "shop.models:Base.metadata"


def test_a_metadata_that_the_base_was_given_is_the_same(tmp_path: Path) -> None:
    files = {
        "db.py": "import sqlalchemy as sa\nfrom sqlalchemy import orm\nmetadata = sa.MetaData()\n"
        "class Base(orm.DeclarativeBase):\n    metadata = metadata\n",
        "models.py": "from db import Base, metadata\nimport sqlalchemy as sa\n"
        + model("User", "users")
        + 'tags = sa.Table("tags", metadata)\n',
    }
    [candidate] = search(tmp_path, files)
    assert candidate.models == "models:metadata"
    assert [table.name for table in candidate.tables] == ["tags", "users"]


@pytest.mark.parametrize(
    ("source", "models"),
    [
        ("from sqlalchemy import MetaData, Table\nmeta = MetaData()\nt = Table('t', meta)\n", "m:meta"),
        (
            "from sqlalchemy.orm import registry\nreg = registry()\n"
            "@reg.mapped\nclass T:\n    __tablename__ = 't'\n",
            "m:reg.metadata",
        ),
        (
            "from sqlalchemy.orm import registry\nreg = registry()\nBase = reg.generate_base()\n"
            "class T(Base):\n    __tablename__ = 't'\n",
            "m:reg.metadata",
        ),
        (
            "from sqlalchemy.orm import as_declarative\n@as_declarative()\nclass Base: pass\n"
            "class T(Base):\n    __tablename__ = 't'\n",
            "m:Base.metadata",
        ),
        (
            "from flask_sqlalchemy import SQLAlchemy\ndb = SQLAlchemy()\nclass T(db.Model):\n    pass\n",
            "m:db.metadata",
        ),
        (
            "from sqlmodel import SQLModel\nclass TBase(SQLModel): pass\nclass T(TBase, table=True): pass\n",
            "m:SQLModel.metadata",
        ),
        (
            "from sqlalchemy.orm import DeclarativeBase, MappedAsDataclass\n"
            "class Base(MappedAsDataclass, DeclarativeBase): pass\n"
            "class Stamped(Base):\n    __abstract__ = True\n"
            "class T(Stamped):\n    __tablename__ = 't'\n",
            "m:Base.metadata",
        ),
    ],
)
def test_every_way_to_declare_models(tmp_path: Path, source: str, models: str) -> None:
    assert find_models(tmp_path, {"m.py": source}) == models


def test_tests_environments_and_migrations_are_not_searched(tmp_path: Path) -> None:
    files = {
        name: NEW_BASE + model("User", "users")
        for name in (
            "tests/models.py",
            "test_models.py",
            "migrations/versions/1_first.py",
            ".venv/lib/x.py",
            "env/lib/site.py",
            "node_modules/x/models.py",
        )
    }
    write(tmp_path, {"env/pyvenv.cfg": ""})
    assert search(tmp_path, files) == ()


def test_files_that_are_not_python_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path, {"old.py": "print 'hello'\n"})
    (tmp_path / "binary.py").write_bytes(b"\x00\xff")
    files = {"models.py": NEW_BASE + model("User", "users")}
    assert find_models(tmp_path, files) == "models:Base.metadata"


def test_modules_that_import_each_other_come_to_an_end(tmp_path: Path) -> None:
    files = {
        "a.py": "from b import *\nfrom b import Thing\nclass X(Thing): pass\n",
        "b.py": "from a import *\nfrom a import X as Thing\n",
    }
    assert search(tmp_path, files) == ()


def test_critical_tables_are_those_that_others_reference(tmp_path: Path) -> None:
    files = {
        "models.py": NEW_BASE
        + model("User", "users", "boss = Column(ForeignKey('users.id'))")
        + model("Post", "posts", "user_id = mapped_column(ForeignKey('users.id', ondelete='CASCADE'))")
        + model("Note", "notes", "user_id = Column(ForeignKey(User.id))", "x = Column(ForeignKey('gone.id'))")
        + "class Tag(Base):\n    __tablename__ = 'tags'\n"
        "    __table_args__ = (\n"
        "        ForeignKeyConstraint(['a', 'b'], ['users.a', 'users.b']), {'schema': 'misc'}\n"
        "    )\n"
    }
    [candidate] = search(tmp_path, files)
    assert count_references(candidate.tables) == {"users": 3, "misc.tags": 0, "notes": 0, "posts": 0}


@pytest.mark.parametrize(
    ("source", "declares"),
    [
        ("target_metadata = None\ncontext.configure(target_metadata=target_metadata)\n", False),
        ("target_metadata = {}\ncontext.configure(target_metadata=target_metadata.get(name))\n", False),
        ("target_metadata = Base.metadata\n", True),
        ("target_metadata: MetaData = Base.metadata\n", True),
        ("context.configure(connection=c, target_metadata=get_metadata())\n", True),
        ("target_metadata = None\nif x:\n    target_metadata = [a, b]\n", True),
    ],
)
def test_whether_env_gives_alembic_its_metadata(tmp_path: Path, source: str, declares: bool) -> None:
    write(tmp_path, {"env.py": source})
    assert env_declares_metadata(tmp_path / "env.py") is declares
