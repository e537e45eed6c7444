"""The project's settings, and an app that keeps request timings from being stored: for `tests.benchmarks.timings` only.

No setting of the product does this.
"""

from __future__ import annotations

from django.apps import AppConfig

from gateway_site.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.benchmarks.without_timings.WithoutTimings"]  # noqa: F405


class WithoutTimings(AppConfig):
    """Has `Timings.add` do nothing."""

    name = "tests.benchmarks"

    def ready(self) -> None:
        """Replace it, once the models are there."""
        from inference.statistics.timings import Timings

        assert callable(Timings.add)
        Timings.add = _drop  # type: ignore[method-assign]


def _drop(self: object, *timing: object) -> None:
    """Instead of `Timings.add`."""
