"""`manage.py predict 0.3 0.7`: one prediction by the default network."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from inference.base64_text import decode_text
from inference.management.client import add_url_argument, asking


class Command(BaseCommand):
    """Ask a running gateway for a prediction."""

    help = "Ask the running gateway for a prediction of one row by the default network, and print the result."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The row's numbers."""
        parser.add_argument("vector", nargs="+", type=float, metavar="NUMBER", help="the row's numbers, e.g. 0.3 0.7")
        add_url_argument(parser)

    def handle(self, *args: Any, vector: list[float], url: str, **options: Any) -> None:
        """Print the result; a prediction that failed ends with its reason and exit status 1."""
        with asking(url) as client:
            answer = client.predict(vector)
        if answer.get("status") is not True:
            raise CommandError(decode_text(str(answer.get("message"))).strip().rpartition("\n")[2])
        self.stdout.write(f"{answer['result']}  (network {answer['message']}, version {answer.get('version')})")
