"""Starts and watches the processes of a Pipeline on one machine; knows nothing of what they compute or store.

Imports `client`, to ask what it has started, and `access`, for whether tokens are required. Start at `serve.py` or
`cluster.py`.
"""
