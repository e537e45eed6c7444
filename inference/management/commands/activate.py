"""`manage.py activate NN_ID VERSION`: make any version of a network active."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from inference.management.client import add_url_argument, asking
from inference.management.names import nn_id_argument, version_argument
from inference.management.switched import switched


class Command(BaseCommand):
    """Activate a version."""

    help = "Make any version of a network active, once every worker has loaded it; when one fails, nothing changes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The network and the version."""
        parser.add_argument("nn_id", type=nn_id_argument, metavar="NN_ID", help="the network's id, or its name")
        parser.add_argument(
            "number", type=version_argument, metavar="VERSION", help="its number; `networks NN_ID` lists them"
        )
        add_url_argument(parser)

    def handle(self, *args: Any, nn_id: str, number: int, url: str, **options: Any) -> None:
        """Ask the running gateway, and tell what is active now."""
        with asking(url) as client:
            answer = client.activate(nn_id, number)
        self.stdout.write(switched(answer))
