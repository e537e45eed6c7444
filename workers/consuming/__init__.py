"""How this worker takes what the broker has, and answers: Celery's classes, and what Celery is not to do.

Imports `broker`, `logs`, what is below them, and the runtime's errors. Start at `celery_side.py`.
"""
