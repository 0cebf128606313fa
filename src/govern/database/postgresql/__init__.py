"""PostgreSQL 13 to 18, over psycopg and PostgreSQL's own client programs. ``engine`` has all that is asked of it."""
