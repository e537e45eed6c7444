"""How commands are told a network, a version and a token's name."""

from __future__ import annotations

from argparse import ArgumentTypeError

from workers.messages.protocol import is_nn_id

TOKEN_NAME_CHARACTERS_MAX = 100


def nn_id_argument(text: str) -> str:
    """A network's id.

    Raises:
        ArgumentTypeError: it is none.
    """
    if not is_nn_id(text):
        raise ArgumentTypeError(f"a network's id is 32 lower-case hex digits, not {text!r}")
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
