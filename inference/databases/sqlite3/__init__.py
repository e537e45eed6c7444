"""Django's backend for SQLite, which makes no database where one has gone. Start at `base.py`."""
