"""`manage.py networks`: what the database knows of every network."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from inference import selectors
from inference.management.table import table

HEAD = ("NETWORK", "ACTIVE", "VERSIONS", "LAST UPLOAD (UTC)", "DEFAULT")


class Command(BaseCommand):
    """List the networks."""

    help = "List every network with its active version. Reads the database; no gateway needs to run."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the list."""
        default = selectors.active_version(None)
        rows = [
            (
                network.nn_id,
                f"version {network.active.number}" if network.active else "none",
                network.versions_count,
                f"{network.last_upload:%Y-%m-%d %H:%M:%S}" if network.last_upload else "-",
                "default" if default and default.nn_id == network.nn_id else "",
            )
            for network in selectors.networks()
        ]
        if not rows:
            self.stdout.write("No network yet: upload weights with `manage.py load_weights FILE`.")
            return
        self.stdout.write(table(HEAD, rows))
