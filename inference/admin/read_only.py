"""What is the record of what happened: it is read, never written by hand."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from unfold.admin import ModelAdmin


class ReadOnlyPage(ModelAdmin):
    """The list and the pages of a model, of which nothing is added, changed or deleted by hand."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, *_: Any) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def require_reading(self, request: HttpRequest) -> None:
        """Let a request go on only to show what its user may see.

        Raises:
            PermissionDenied: the user may not see it, or writes.
        """
        if not self.has_view_permission(request) or request.method not in ("GET", "HEAD"):
            raise PermissionDenied
