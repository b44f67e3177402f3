"""Schemes of personal identity codes, one file to a country. :mod:`pki.identity` is the way in."""
