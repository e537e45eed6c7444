"""Whether database, broker and workers answer: looked at in bounded time, and not more often than it is worth.

Imports `versions` and all below it. Start at `health_checks.py`.
"""
