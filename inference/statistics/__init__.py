"""Timings of requests and what they come to: written in bulk, summed up by minute and hour, removed when old.

Imports `models`, `databases` and `service_thread`. Start at `timings.py` for what is written, `summary.py` for sums.
"""
