"""`manage.py cluster`: see `inference.supervision.cluster`."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from inference.supervision.command_line import CLUSTER_HELP, run
from inference.supervision.options import add_cluster_flags


class Command(BaseCommand):
    """The same as `scripts/cluster`, once Python and the packages are there."""

    help = CLUSTER_HELP
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """The flags, each with its environment variable."""
        add_cluster_flags(parser)

    def handle(self, *_args: Any, **flags: Any) -> None:
        """Run until a signal or a failure ends it."""
        sys.exit(run("cluster", flags))
