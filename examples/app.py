"""The smallest application that does not start on the wrong schema."""

from __future__ import annotations

import os
import sys

from sqlalchemy import create_engine, text

from govern import SchemaRefused, validate_on_startup


def main() -> int:
    engine = create_engine(os.environ["DATABASE_URL"])
    try:
        validate_on_startup(engine)
    except SchemaRefused as refusal:
        print(refusal, file=sys.stderr)
        return 1
    with engine.connect() as connection:
        roles = connection.scalar(text("SELECT count(*) FROM roles"))
    print(f"the application is up; it knows {roles} roles")
    return 0


if __name__ == "__main__":
    sys.exit(main())
