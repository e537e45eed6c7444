"""`manage.py remove_label NN_ID LABEL`: forget a label."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from inference.management.client import add_url_argument, asking
from inference.management.names import name_argument, nn_id_argument


class Command(BaseCommand):
    """Remove a label."""

    help = "Forget a label of a network; the version that it stands for stays."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The network and the label."""
        parser.add_argument("nn_id", type=nn_id_argument, metavar="NN_ID", help="the network's id, or its name")
        parser.add_argument("label", type=name_argument, metavar="LABEL", help="the label")
        add_url_argument(parser)

    def handle(self, *args: Any, nn_id: str, label: str, url: str, **options: Any) -> None:
        """Ask the running gateway, and tell that it is gone."""
        with asking(url) as client:
            answer = client.remove_label(nn_id, label)
        self.stdout.write(f"{answer.get('nn_id')} has no label {answer.get('label')} any more")
