"""A request, as far as it says who asks: Django's, Django REST Framework's, or one on the event loop."""

from __future__ import annotations

from typing import Any, Protocol


class Asks(Protocol):
    """Its headers by Django's names, and where it comes from."""

    @property
    def META(self) -> dict[str, Any]:  # noqa: N802 - Django names it so
        """Its headers, and where it comes from."""
