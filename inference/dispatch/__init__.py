"""A prediction's way to a worker and back: admission, batches, the broker, and the answer to each request.

Imports `monitoring`, `statistics` and all below them; nothing of HTTP. Start at `dispatcher.py`.
"""
