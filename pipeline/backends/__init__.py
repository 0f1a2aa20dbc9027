"""Engines and servers, one per file or package; their exceptions stop here."""
