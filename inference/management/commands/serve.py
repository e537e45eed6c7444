"""`manage.py serve`: see `inference.supervision.serve`."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from inference.supervision.command_line import SERVE_HELP, run
from inference.supervision.options import add_serve_flags


class Command(BaseCommand):
    """The same as `scripts/serve`, once Python and the packages are there."""

    help = SERVE_HELP
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """The flags, each with its environment variable."""
        add_serve_flags(parser)

    def handle(self, *_args: Any, **flags: Any) -> None:
        """Run until a signal or a failure ends it."""
        sys.exit(run("serve", flags))
