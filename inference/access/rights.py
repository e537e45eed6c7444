"""The rights that a token may have, and which one a view asks for."""

from __future__ import annotations

from typing import Any

PREDICT, STATUS, WEIGHTS, TRACES = "predict", "status", "weights", "traces"
#: What each lets its token do; a view needs one of the first three.
RIGHTS = {
    PREDICT: "ask for predictions",
    STATUS: "see the fleet, the networks and the metrics",
    WEIGHTS: "upload, activate, roll back, delete and download weights",
    TRACES: "see the stack traces of what failed",
}
#: In place of a right, for what everybody may ask.
EVERYBODY = ""


class UnknownRightError(ValueError):
    """Somebody names a right that there is not."""


def parse_rights(text: str) -> frozenset[str]:
    """The rights of a list like `predict,status`.

    Raises:
        UnknownRightError: one of them is none, or there is none at all.
    """
    named = split_rights(text)
    unknown = sorted(named - RIGHTS.keys())
    if unknown:
        raise UnknownRightError(f"{unknown[0]!r} is no right: the rights are {', '.join(RIGHTS)}")
    return named


def split_rights(text: str) -> frozenset[str]:
    """What stands in such a list, whether there are rights of that name or not."""
    return frozenset(part.strip() for part in text.split(","))


def written(rights: frozenset[str]) -> str:
    """The list of them that `parse_rights` reads, always in the same order."""
    return ",".join(right for right in RIGHTS if right in rights)


def right_for(view: Any, method: str | None) -> str:
    """The right that a request to a view needs: the view says it in `right`, and for single methods in `rights`."""
    by_method: dict[str, str] = getattr(view, "rights", {})
    right: str = by_method.get(method or "", view.right)
    return right
