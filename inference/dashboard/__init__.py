"""The admin's first page: how requests, queue, workers and the default network are now, and whether all is well.

Imports `admin`, `gateway` and all below them. Start at `views.py`; `numbers.py` gathers the figures, those of
requests from `traffic.py`.
"""
