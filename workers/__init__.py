"""The worker, and what it shares with the gateway: messages, connections, settings. Never imports Django.

Start at `worker.py`: what a worker process owns. `celery.py` is the application that `celery -A workers` looks for.
"""
