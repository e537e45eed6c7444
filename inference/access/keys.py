"""The secret that a token is: 256 random bits, of which only the SHA-256 is kept.

A slow hash, as for passwords, is for secrets that can be guessed: nobody tries 2^256 keys, however fast each can be
tried. And a digest is what can be looked up at once: that of a guess has nothing in common with the ones that are kept,
so how long the search takes tells nothing about them.
"""

from __future__ import annotations

import hashlib
import secrets

#: What every key begins with, so that programs which look for secrets in files find one.
PREFIX = "pipeline_"
#: Nothing longer is a key, nor worth hashing.
KEY_CHARACTERS_MAX = 128
#: The variable with the SHA-256 of the key with which `scripts/serve` and `scripts/cluster` ask the gateway that they
#: start. The key itself is in their memory only, and is good for that gateway only.
START_TOKEN = "PIPELINE_START_TOKEN_SHA256"  # noqa: S105 - a variable's name


def new_key() -> str:
    """A new secret."""
    return PREFIX + secrets.token_urlsafe(32)


def digest_of(key: str) -> str:
    """What is kept of a key: its SHA-256, in hex."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
