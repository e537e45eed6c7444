"""The project's settings, for `admin_pages`: an answer's queries are counted when that is asked for, and what the
dashboard reads is not kept for the next who looks.
"""

from __future__ import annotations

from gateway_site.settings import *  # noqa: F403
from inference.dashboard.cache import Cached

Cached.enabled = False
MIDDLEWARE = ["tests.benchmarks.query_counts.count_queries", *MIDDLEWARE]  # noqa: F405
