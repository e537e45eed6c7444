"""How this worker takes what the broker has, and answers: Celery's classes, and what Celery is not to do.

Imports `broker`, `messages`, `logs` and the runtime's errors; nothing of networks. Start at `celery_side.py`.
"""
