"""Errors of the database room. Every error of this package is a :class:`DatabaseError`; port methods raise the errors their port names."""

from __future__ import annotations


class DatabaseError(Exception):
    """The database cannot be reached, opened or written; the message holds no statement parameters."""


class SchemaError(DatabaseError):
    """The database is not at the schema version that this program knows."""


class TransactionError(DatabaseError):
    """A store that must commit by itself was called inside a wider transaction."""


class ContentError(DatabaseError):
    """Stored bytes are missing, or do not have the digest that the books say."""


class LogTamperedError(DatabaseError):
    """The log is not what its signed checkpoints, its salts or its own order say; nothing is signed over it."""
