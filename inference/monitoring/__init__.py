"""What a gateway process counts, shared with the other processes of its gunicorn, and every metric by name.

Imports `statistics`, for what a timing is. Start at `catalogue.py`; `GET /metrics` is `inference/http/metrics.py`.
"""
