"""A tree that shows it was not changed (`merkle`), and signed heads of it (`note`, `checkpoint`, `log_key`)."""

__all__ = [
    "checkpoint",
    "log_key",
    "merkle",
    "note",
]
