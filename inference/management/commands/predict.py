"""`manage.py predict 0.3 0.7`: predictions by the default network, or by one that is named."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from inference.http.bodies.base64_text import decode_text
from inference.management.client import add_url_argument, asking
from inference.management.names import nn_id_argument


class Command(BaseCommand):
    """Ask a running gateway for a prediction."""

    help = "Ask the running gateway for a prediction of one row, or of several with --data, and print the result."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The rows, and what predicts them."""
        parser.add_argument("vector", nargs="*", type=float, metavar="NUMBER", help="the row's numbers, e.g. 0.3 0.7")
        parser.add_argument(
            "--data",
            metavar="JSON",
            help="rows instead, e.g. '[[0.3, 0.7]]', or an object of them by the network's inputs; - reads them",
        )
        parser.add_argument(
            "--nn-id", type=nn_id_argument, help="the network's id, or its name (default: the default network)"
        )
        parser.add_argument("--of-version", type=int, metavar="NUMBER", help="the version (default: the active one)")
        add_url_argument(parser)

    def handle(self, *args: Any, vector: list[float], data: str | None, url: str, **options: Any) -> None:
        """Print the result; a prediction that failed ends with its reason and exit status 1."""
        if bool(vector) == (data is not None):
            raise CommandError("give either the numbers of one row, or --data")
        rows = {"vector": vector} if data is None else {"data": _read_json(data)}
        with asking(url) as client:
            answer = client.predict(**rows, nn_id=options["nn_id"], version=options["of_version"])
        if answer.get("status") is not True:
            raise CommandError(decode_text(str(answer.get("message"))).strip().rpartition("\n")[2])
        result = json.dumps(answer["result"])
        self.stdout.write(f"{result}  (network {answer['message']}, version {answer.get('version')})")


def _read_json(data: str) -> Any:
    try:
        return json.loads(sys.stdin.read() if data == "-" else data)
    except ValueError as error:
        raise CommandError(f"--data is no JSON: {error}") from error
