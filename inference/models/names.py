"""What networks may be called beside their ids, and versions beside their numbers."""

from __future__ import annotations

import re

from workers.messages.protocol import is_nn_id

NAME_CHARACTERS_MAX = 128
#: No id of a network, and nothing that an address takes for a folder, or for statistics.
NAME = re.compile(r"\A(?!\.{1,2}\Z)(?!stats\Z)(?![0-9a-f]{32}\Z)[A-Za-z0-9._-]{1,128}\Z")
NAME_RULE = "1 to 128 letters, digits, `.`, `_` and `-`; no network's id, and not `stats`"
_NUMBER = re.compile("[1-9][0-9]{0,8}")


def is_name(text: object) -> bool:
    """Whether a network, or a label, may be called so."""
    return isinstance(text, str) and NAME.match(text) is not None


def version_in(text: str) -> int | str | None:
    """The number, or the label, that a text names a version by; None when it can be neither."""
    if _NUMBER.fullmatch(text):
        return int(text)
    return text if is_name(text) else None


def named(network: str, prefix: str = "") -> dict[str, str]:
    """The filter for the network of that id or name, from what refers to it by `prefix`."""
    return {f"{prefix}{'nn_id' if is_nn_id(network) else 'name'}": network}


def names_network(text: object) -> bool:
    """Whether this may be a network's id or name."""
    return is_nn_id(text) or is_name(text)
