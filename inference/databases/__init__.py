"""Django's database backends, with an end to every wait: a server that hangs, a file that has gone, are noticed.

Imports nothing of the gateway. Start at `waiting.py`.
"""
