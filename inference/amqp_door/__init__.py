"""Predictions over AMQP, for applications that have the broker: a task of Celery's, which a gateway answers.

Batches between gateways and workers are something else (`workers.tasks.predict`), and of nobody's concern.
"""
