"""`manage.py export_weights NN_ID`: a version's weights from the database to a file."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError

from inference import history
from inference.errors import NotFoundError
from inference.management.names import nn_id_argument, version_argument
from inference.models import Version
from inference.weights_download import WeightsDownload

STANDARD_OUTPUT = Path("-")


class Command(BaseCommand):
    """Export a version's weights."""

    help = (
        "Write the weights of a version to a file, as they were uploaded and no base64. Reads the database; no gateway "
        "needs to run."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which weights, and where to."""
        parser.add_argument("nn_id", type=nn_id_argument, metavar="NN_ID", help="the network's id")
        parser.add_argument(
            "--of-version", type=version_argument, metavar="N", help="the version; default: the active one"
        )
        parser.add_argument(
            "--output", type=Path, metavar="FILE",
            help="the file, or - for the standard output; default: <nn_id>_<version> in this folder, its suffix "
            "telling the format",
        )  # fmt: skip
        parser.add_argument("--force", action="store_true", help="write over a file that is there")

    def handle(
        self, *args: Any, nn_id: str, of_version: int | None, output: Path | None, force: bool, **options: Any
    ) -> None:
        """Write the file, and tell where."""
        try:
            version = history.version(nn_id, of_version) if of_version else _active(nn_id)
            download = WeightsDownload.of(version)
            if output == STANDARD_OUTPUT:
                _fill(sys.stdout.buffer, download)
                return
            file = output or Path(download.name)
            _write(file, download, force)
        except NotFoundError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{file}: {version}, {download.size} bytes")


def _active(nn_id: str) -> Version:
    active: Version | None = history.network(nn_id).active
    if active is None:
        raise CommandError(f"network {nn_id} has no active version: give --of-version")
    return active


def _write(file: Path, download: WeightsDownload, force: bool) -> None:
    """Write the whole file, or leave nothing of it."""
    try:
        with file.open("wb" if force else "xb") as opened:
            try:
                _fill(opened, download)
            except BaseException:
                file.unlink()
                raise
    except FileExistsError as error:
        raise CommandError(f"{file} exists: --force writes over it") from error
    except OSError as error:
        raise CommandError(f"cannot write {file}: {error.strerror}") from error


def _fill(opened: IO[bytes], download: WeightsDownload) -> None:
    for chunk in download.chunks():
        opened.write(chunk)
    opened.flush()
