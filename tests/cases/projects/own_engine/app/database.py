import os

from sqlalchemy import create_engine

# a URL of the application's own, which has nothing to do with the one a migration is asked for
engine = create_engine(os.environ.get("OWN_URL", "postgresql+psycopg://nobody:hard-coded@db.invalid/production"))
