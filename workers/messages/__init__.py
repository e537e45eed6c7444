"""Every message's shape, and whom to believe: what two processes say to each other is read and checked here.

Imports `settings` and `log_limit`, nothing else of the worker. Start at `protocol.py`.
"""
