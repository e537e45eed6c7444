"""What a gateway process counts, shared with the other processes of its gunicorn, and every metric by name.

Imports `statistics`, `models` and `service_thread`. Start at `catalogue.py`; `GET /metrics` is in `inference/http`.
"""
