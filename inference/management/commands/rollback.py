"""`manage.py rollback NN_ID`: make the version active that was before."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from inference.management.client import add_url_argument, asking
from inference.management.names import nn_id_argument
from inference.management.switched import switched


class Command(BaseCommand):
    """Roll a network back."""

    help = (
        "Take back the latest step of a network, an upload or an activation: the version that was active before is "
        "active again, once every worker has loaded it. Again takes back the step before. When a worker fails, nothing "
        "changes."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The network."""
        parser.add_argument("nn_id", type=nn_id_argument, metavar="NN_ID", help="the network's id, or its name")
        add_url_argument(parser)

    def handle(self, *args: Any, nn_id: str, url: str, **options: Any) -> None:
        """Ask the running gateway, and tell what is active now."""
        with asking(url) as client:
            answer = client.rollback(nn_id)
        self.stdout.write(switched(answer))
