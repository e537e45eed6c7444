"""The project's settings with the floor's view."""

from gateway_site.settings import *  # noqa: F403

ROOT_URLCONF = "tests.benchmarks.floor.urls"
