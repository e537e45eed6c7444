"""`manage.py create_token NAME --may predict,status`: a new access token, whose key is shown this once."""

from __future__ import annotations

import time
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError, transaction

from inference.access.keys import digest_of, new_key
from inference.access.rights import RIGHTS, UnknownRightError, parse_rights, written
from inference.management.names import token_name_argument
from inference.models import AccessToken

#: Every gateway process knows a new token after so long: whoever runs this in a script may use it at once.
KNOWN_SECONDS = 1.0


class Command(BaseCommand):
    """Make a token."""

    help = (
        "Make an access token and print its key, which is kept nowhere: only its SHA-256 is. Works in the database; no "
        "gateway needs to run. Rights: " + "; ".join(f"{right} (to {what})" for right, what in RIGHTS.items()) + "."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose it is, and what it may do."""
        parser.add_argument(
            "name", type=token_name_argument, metavar="NAME", help="who has it, for the record of who did what"
        )
        parser.add_argument(
            "--may", required=True, type=_rights, metavar="RIGHTS",
            help=f"what it may do, separated by commas: {', '.join(RIGHTS)}",
        )  # fmt: skip

    def handle(self, *args: Any, name: str, may: frozenset[str], **options: Any) -> None:
        """Store its digest, print the key on the standard output and the rest beside it."""
        key = new_key()
        try:
            with transaction.atomic():
                AccessToken.objects.create(name=name, digest=digest_of(key), rights=written(may))
        except IntegrityError as error:
            raise CommandError(
                f"there is a token named {name!r} already: choose another name, or revoke it with "
                f"`manage.py revoke_token {name}`"
            ) from error
        time.sleep(KNOWN_SECONDS)
        self.stderr.write(f"{name} may {written(may)}; the key is shown this once:")
        self.stdout.write(key)


def _rights(text: str) -> frozenset[str]:
    try:
        return parse_rights(text)
    except UnknownRightError as error:
        raise ArgumentTypeError(str(error)) from error
