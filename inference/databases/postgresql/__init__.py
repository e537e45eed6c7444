"""Django's backend for PostgreSQL, with an end to every wait. Start at `base.py`."""
