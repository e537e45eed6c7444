"""`manage.py name_network NN_ID NAME`: give a network a name, or take it."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from inference.management.client import add_url_argument, asking
from inference.management.names import name_argument, nn_id_argument


class Command(BaseCommand):
    """Name a network."""

    help = "Give a network a name, by which it can be asked for as by its id; the name before is free again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The network and its name."""
        parser.add_argument("nn_id", type=nn_id_argument, metavar="NN_ID", help="the network's id, or its name so far")
        new = parser.add_mutually_exclusive_group(required=True)
        new.add_argument("name", nargs="?", type=name_argument, metavar="NAME", help="its name from now on")
        new.add_argument("--none", action="store_true", help="no name: it is asked for by its id alone")
        add_url_argument(parser)

    def handle(self, *args: Any, nn_id: str, name: str | None, url: str, **options: Any) -> None:
        """Ask the running gateway, and tell what the network is called now."""
        with asking(url) as client:
            answer = client.name_network(nn_id, name)
        told = answer.get("name")
        self.stdout.write(f"{answer.get('nn_id')} is called {told}" if told else f"{answer.get('nn_id')} has no name")
