"""The project's gunicorn configuration without the gateway's threads and connections."""

from __future__ import annotations

from typing import Any

from gateway_site.gunicorn import *  # noqa: F403


def post_worker_init(worker: Any) -> None:
    """Nothing: the floor dispatches nothing."""


def worker_exit(server: Any, worker: Any) -> None:
    """Nothing: see above."""
