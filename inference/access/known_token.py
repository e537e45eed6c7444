"""A token as a gateway process knows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class KnownToken:
    """A living token; `id` is None for one that is not in the database. To Django REST Framework it is the user."""

    id: int | None
    name: str
    digest: str
    rights: frozenset[str]

    is_authenticated: ClassVar[bool] = True

    def get_username(self) -> str:
        """Who asks, for the record."""
        return self.name
