"""`manage.py label_version NN_ID LABEL VERSION`: have a label stand for a version."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from inference.management.client import add_url_argument, asking
from inference.management.names import name_argument, nn_id_argument, version_argument


class Command(BaseCommand):
    """Label a version."""

    help = (
        "Have a label of a network stand for one of its versions, which has been active; a label that is known moves."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The network, the label and the version."""
        parser.add_argument("nn_id", type=nn_id_argument, metavar="NN_ID", help="the network's id, or its name")
        parser.add_argument("label", type=name_argument, metavar="LABEL", help="the label, e.g. stable")
        parser.add_argument(
            "number", type=version_argument, metavar="VERSION", help="its number; `networks NN_ID` lists them"
        )
        add_url_argument(parser)

    def handle(self, *args: Any, nn_id: str, label: str, number: int, url: str, **options: Any) -> None:
        """Ask the running gateway, and tell what the label stands for now."""
        with asking(url) as client:
            answer = client.label(nn_id, label, number)
        self.stdout.write(f"{answer.get('label')} of {answer.get('nn_id')} is version {answer.get('version')}")
