"""How commands are told a network, a version, a label and a token's name."""

from __future__ import annotations

from argparse import ArgumentTypeError

from inference.models.names import NAME_RULE, is_name, names_network

TOKEN_NAME_CHARACTERS_MAX = 100


def nn_id_argument(text: str) -> str:
    """A network's id, or its name.

    Raises:
        ArgumentTypeError: it is neither.
    """
    if not names_network(text):
        raise ArgumentTypeError(f"a network's id is 32 lower-case hex digits, its name {NAME_RULE}; not {text!r}")
    return text


def name_argument(text: str) -> str:
    """A network's name, or a label.

    Raises:
        ArgumentTypeError: it is none.
    """
    if not is_name(text):
        raise ArgumentTypeError(f"a name, or a label, is {NAME_RULE}; not {text!r}")
    return text


def version_argument(text: str) -> int:
    """A version's number.

    Raises:
        ArgumentTypeError: it is none.
    """
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text) > 0):
        raise ArgumentTypeError(f"a version is a number from 1 on, not {text!r}")
    return int(text)


def token_name_argument(text: str) -> str:
    """A new token's name: short, of one line, and not like an option.

    Raises:
        ArgumentTypeError: it is none.
    """
    if not (text.isprintable() and text.strip() == text and 0 < len(text) <= TOKEN_NAME_CHARACTERS_MAX):
        raise ArgumentTypeError(f"a token's name has 1 to {TOKEN_NAME_CHARACTERS_MAX} printable characters")
    return text
