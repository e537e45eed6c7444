"""Networks: files read, architectures compiled, versions held in memory, rows computed. Nothing else knows Keras.

Imports `measuring`, `logs`, `messages` and `settings`; no Celery. Start at `networks.py`; `backend.py` imports
TensorFlow.
"""
