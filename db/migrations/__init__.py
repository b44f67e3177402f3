"""Alembic's environment: `env.py` runs on the connection that `db.schema` hands over."""
