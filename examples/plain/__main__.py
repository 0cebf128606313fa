"""The smallest application that does not start on the wrong schema: python -m examples.plain"""

from __future__ import annotations

import os

from sqlalchemy import create_engine, text

from govern.integrations.process import validate_or_exit


def main() -> None:
    engine = create_engine(os.environ["DATABASE_URL"])
    validate_or_exit(engine)  # four sentences on stderr and exit code 4, or nothing at all
    with engine.connect() as connection:
        users = connection.scalar(text("SELECT count(*) FROM users"))
    engine.dispose()
    print(f"the application is up; it knows {users} users")


if __name__ == "__main__":
    main()
