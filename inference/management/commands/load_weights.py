"""`manage.py load_weights FILE`: upload weights to the running gateway, and switch to them."""

from __future__ import annotations

import zlib
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError

from inference.errors import BadInputError
from inference.http.bodies.base64_text import decode_pieces
from inference.management.client import add_url_argument, asking
from inference.management.names import name_argument
from inference.management.switched import switched
from inference.management.weights_name import WeightsName
from workers.messages.protocol import is_nn_id


class Command(BaseCommand):
    """Upload a weights file."""

    help = (
        "Upload a weights file to the running gateway. Every worker loads it, and the network becomes the "
        "default one; when a worker fails, nothing changes."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file and its network."""
        parser.add_argument("file", type=Path, help="a weights file, as it is or as base64 text")
        parser.add_argument(
            "--nn-id", help="the network's id, 32 lower-case hex digits; default: from a name <nn_id>_<crc32>.b64"
        )
        parser.add_argument(
            "--name",
            type=name_argument,
            help="what the network is called from then on; without an id, it is the one of that name, or a new one",
        )
        parser.add_argument(
            "--order",
            default="",
            help="the layers of a PyTorch file as they are used, with commas between, when their names do not tell",
        )
        parser.add_argument(
            "--expect",
            type=Path,
            help="examples that must hold, here and wherever the version is loaded later: a file with JSON like "
            '{"data": [[0.3, 0.7]], "result": [1.0], "tolerance": 0.01}',
        )
        add_url_argument(parser)

    def handle(
        self,
        *args: Any,
        file: Path,
        nn_id: str | None,
        name: str | None,
        order: str,
        expect: Path | None,
        url: str,
        **options: Any,
    ) -> None:
        """Check the file, upload it, and tell what the workers said."""
        examples = _text_of(expect) if expect else ""
        named = WeightsName.parse(file.name)
        with _opened(file) as opened:
            _check(file, opened, named)
            chosen = nn_id or (named.nn_id if named else None)
            if chosen is None and name is None:
                raise CommandError(
                    f"{file.name} does not name its network (<nn_id>_<crc32>.b64): give --nn-id or --name"
                )
            if chosen is not None and not is_nn_id(chosen):
                raise CommandError(f"--nn-id must be 32 lower-case hex digits, got {chosen!r}")
            with asking(url) as client:
                answer = client.set_weights(chosen, file.name, opened, name=name, order=order, expect=examples)
        self.stdout.write(switched(answer))


def _text_of(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"cannot read {file}: {getattr(error, 'strerror', error)}") from error


@contextmanager
def _opened(file: Path) -> Iterator[IO[bytes]]:
    try:
        with file.open("rb") as opened:
            yield opened
    except OSError as error:
        raise CommandError(f"cannot read {file}: {error.strerror}") from error


def _check(file: Path, opened: IO[bytes], name: WeightsName | None) -> None:
    checksum = 0
    try:
        for piece in decode_pieces(opened):
            checksum = zlib.crc32(piece, checksum)
    except BadInputError as error:
        raise CommandError(f"{file}: {error}") from error
    if name is not None and checksum != name.crc32:
        raise CommandError(f"{file} is damaged: the CRC-32 in its name is not that of its decoded bytes")
