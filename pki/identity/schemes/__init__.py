"""Schemes of personal identity codes, one file to a country. :mod:`pki.identity.codes` is the way in."""
