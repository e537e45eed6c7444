"""`manage.py networks [NN_ID]`: what the database knows of every network, or of one network's versions."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from inference.errors import NotFoundError
from inference.management.names import nn_id_argument
from inference.management.table import table
from inference.versions import history

HEAD = ("NETWORK", "ACTIVE", "VERSIONS", "LAST UPLOAD (UTC)", "DEFAULT", "NAME")
VERSIONS_HEAD = ("VERSION", "STATE", "UPLOADED (UTC)", "BYTES", "FILE", "ACTIVE", "LABELS")


class Command(BaseCommand):
    """List the networks, or a network's versions."""

    help = (
        "List every network with its active version; or with an id or a name, that network's versions, newest first. "
        "Reads the database; no gateway needs to run."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which network."""
        parser.add_argument(
            "nn_id",
            nargs="?",
            type=nn_id_argument,
            metavar="NN_ID",
            help="the network whose versions are listed: its id, or its name",
        )

    def handle(self, *args: Any, nn_id: str | None, **options: Any) -> None:
        """Print the list."""
        self.stdout.write(_networks() if nn_id is None else _versions(nn_id))


def _networks() -> str:
    rows = [
        (
            network.nn_id,
            f"version {network.active.number}" if network.active else "none",
            network.versions_count,
            f"{network.last_upload:%Y-%m-%d %H:%M:%S}" if network.last_upload else "-",
            "default" if network.is_default else "",
            network.name or "",
        )
        for network in history.networks()
    ]
    return _with_last(HEAD, rows) if rows else "No network yet: upload weights with `manage.py load_weights FILE`."


def _with_last(head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    """A table; its last column, of names that nobody need give, only if there are some."""
    return table(head, rows) if any(row[-1] for row in rows) else table(head[:-1], [row[:-1] for row in rows])


def _versions(nn_id: str) -> str:
    try:
        active_id = history.network(nn_id).active_id
    except NotFoundError as error:
        raise CommandError(f"there is no network {nn_id}: `manage.py networks` lists them") from error
    rows = [
        (
            version.number,
            version.state,
            f"{version.uploaded_at:%Y-%m-%d %H:%M:%S}",
            version.weights.size,
            version.file_name,
            "active" if version.pk == active_id else "",
            " ".join(label.label for label in version.labels.all()),
        )
        for version in history.versions(nn_id).prefetch_related("labels")
    ]
    return _with_last(VERSIONS_HEAD, rows)
