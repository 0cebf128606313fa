"""Alembic in the project's own interpreter: the other end of ``runner.py``.

Standard library and the project's own Alembic (1.11+) and SQLAlchemy (1.4+) only; Python 3.8+. Nothing here
imports govern, which need not be installed there, and govern's own process imports nothing from here.
"""
