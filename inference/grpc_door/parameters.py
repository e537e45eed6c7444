"""The parameters of requests, inputs and outputs, and what names a network and its version, as HTTP has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inference.errors import NotFoundError
from inference.models.names import names_network, version_in


def read_parameters(given: Mapping[str, Any]) -> dict[str, Any]:
    """Each parameter's value, of whatever kind it came as; None for one without."""
    values = {}
    for name, parameter in given.items():
        kind = parameter.WhichOneof("parameter_choice")
        values[name] = getattr(parameter, kind) if kind else None
    return values


def read_network(name: str) -> str:
    """A network's id or name.

    Raises:
        NotFoundError: there can be none of that name.
    """
    if not names_network(name):
        raise NotFoundError(f"there is no network {name[:80]!a}: GET /networks lists them")
    return name


def read_version(text: str) -> int | str | None:
    """A version's number, or a label of one; None when it names none.

    Raises:
        NotFoundError: it can be neither.
    """
    if not text:
        return None
    if (version := version_in(text)) is None:
        raise NotFoundError(f"there is no version {text[:80]!a}: it has a number, and perhaps a label")
    return version
