"""`manage.py tokens`: every access token, the newest first."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand

from inference.management.table import table
from inference.models import AccessToken

HEAD = ("NAME", "MAY", "CREATED (UTC)", "LAST USED", "REVOKED")


class Command(BaseCommand):
    """List the tokens."""

    help = "List the access tokens: what each may do, and when it was made, last used (to the minute) and revoked."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print them; none has its key kept."""
        rows = [
            (each.name, each.rights, *map(_time, (each.created_at, each.last_used_at, each.revoked_at)))
            for each in AccessToken.objects.all()
        ]
        self.stdout.write(table(HEAD, rows) if rows else "no token yet: `manage.py create_token NAME --may predict`")


def _time(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}" if at else "-"
