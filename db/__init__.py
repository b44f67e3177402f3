"""The house's memory: SQLAlchemy tables, stores by noun, Alembic migrations. SQLite by default, PostgreSQL by URL.

Stores implement the ports that `pki` and `records` name; frozen dataclasses cross this border, never rows.

>>> from db.engine import open_database
>>> from db.schema import upgrade
>>> database = open_database("sqlite://")   # in memory; a file is sqlite:////path/eduseal.sqlite
>>> upgrade(database)
>>> from db.certificates import Certificates
>>> Certificates(database).get("issuing", 1) is None
True
"""
