"""`manage.py export_weights NN_ID`: a version's weights from the database to a file."""

from __future__ import annotations

import shutil
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from django.core.management.base import BaseCommand, CommandError

from inference.errors import NotFoundError
from inference.http.weights_download import WeightsDownload
from inference.management.names import nn_id_argument, version_argument
from inference.models import Version
from inference.versions import history

STANDARD_OUTPUT = Path("-")


class Command(BaseCommand):
    """Export a version's weights."""

    help = (
        "Write the weights of a version to a file, as they were uploaded and no base64. Reads the database; no gateway "
        "needs to run."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which weights, and where to."""
        parser.add_argument("nn_id", type=nn_id_argument, metavar="NN_ID", help="the network's id, or its name")
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
    """Write the whole file, or leave nothing of it and keep what was there."""
    try:
        if force and file.exists() and not file.is_file():
            # A device or a pipe cannot be replaced, and has nothing to keep.
            with file.open("wb") as opened:
                _fill(opened, download)
        elif force:
            _replace(file.resolve(), download)
        else:
            _create(file, download)
    except FileExistsError as error:
        raise CommandError(f"{file} exists: --force writes over it") from error
    except OSError as error:
        raise CommandError(f"cannot write {file}: {error.strerror}") from error


def _replace(file: Path, download: WeightsDownload) -> None:
    """Write beside a file, and put it in the file's place when it is whole."""
    beside = file.with_name(f".{uuid4().hex}.part")
    try:
        with beside.open("xb") as opened:
            if file.exists():
                shutil.copymode(file, beside)
            _fill(opened, download)
        beside.replace(file)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _create(file: Path, download: WeightsDownload) -> None:
    opened = file.open("xb")
    try:
        with opened:
            _fill(opened, download)
    except BaseException:
        file.unlink()
        raise


def _fill(opened: IO[bytes], download: WeightsDownload) -> None:
    for chunk in download.chunks():
        opened.write(chunk)
    opened.flush()
