"""Chaos: a real cluster under load, faults of all kinds, and a table of what its clients saw."""
