"""The project's settings, and a middleware that counts an answer's queries when it is asked to: for `admin_pages`."""

from __future__ import annotations

from gateway_site.settings import *  # noqa: F403

MIDDLEWARE = ["tests.benchmarks.query_counts.count_queries", *MIDDLEWARE]  # noqa: F405
