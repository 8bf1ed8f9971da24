"""Alembic migrations of the database, run by `schema.py`; they ship inside the package."""
