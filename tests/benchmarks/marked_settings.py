"""The project's settings, and an app that marks what a request passes: see `tests.benchmarks.marks`."""

from __future__ import annotations

from django.apps import AppConfig

from gateway_site.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.benchmarks.marked_settings.Marked"]  # noqa: F405


class Marked(AppConfig):
    """Marks the gateway's moments once the models are there."""

    name = "tests.benchmarks"

    def ready(self) -> None:
        """Mark them."""
        from tests.benchmarks.marks import GATEWAY, keep_at_exit

        keep_at_exit(GATEWAY)
