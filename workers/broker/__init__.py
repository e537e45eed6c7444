"""Connections to the broker, what is let in on them, the queues there, and the embedded broker.

Imports `messages` and `broker_address`. Start at `connection.py`; the queues are in `queues.py`.
"""
