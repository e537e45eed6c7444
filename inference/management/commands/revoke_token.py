"""`manage.py revoke_token NAME`: a token is taken by no gateway any more, within a second."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from inference.models import AccessToken


class Command(BaseCommand):
    """Revoke a token."""

    help = "Revoke an access token for good: every gateway refuses it within a second. Its name may be given again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which one."""
        parser.add_argument("name", metavar="NAME", help="the token's name; `tokens` lists them")

    def handle(self, *args: Any, name: str, **options: Any) -> None:
        """Revoke it."""
        if not AccessToken.objects.filter(name=name, revoked_at__isnull=True).update(revoked_at=timezone.now()):
            raise CommandError(f"there is no living token named {name!r}: `manage.py tokens` lists them")
        self.stdout.write(f"{name} is revoked: every gateway refuses it within a second")
