"""What is refused before signing: a document that could later show something else than what its signer saw.

`inspect` is the way in; `reading`, `risky` and `layout` find the objects worth a look, `refusal` judges one, `hidden` what nothing
lists or refers to.
"""

__all__ = [
    "inspect",
]
