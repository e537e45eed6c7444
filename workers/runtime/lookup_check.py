"""Looks through a layer that reads words before Keras sees it: its vocabulary stands in the config, within bounds.

A vocabulary that is a text is, for Keras, the name of a file or an address; and a few of these layers' numbers say how
much memory is taken before any of it can be measured.
"""

from __future__ import annotations

from typing import Any

from workers.runtime.errors import ArchitectureError

#: The layers that have a vocabulary, and what its words are.
WORDS: dict[str, type] = {"TextVectorization": str, "StringLookup": str, "IntegerLookup": int}
#: Those that read words without one.
HASHES = frozenset({"Hashing", "HashedCrossing"})
#: The most words of a vocabulary, and the most that a layer pads its own to: Keras takes 17 s to read a million.
MAX_WORDS = 500_000
#: numpy holds each word as wide as the widest, with four bytes a character, while Keras makes a table of them.
MAX_WORDS_BYTES = 512 * 1024**2
CHARACTER_BYTES = 4
#: The longest run of words that is looked up as one, and how many such lengths there may be.
MAX_NGRAM = 16


def check_lookup(class_name: str, config: Any) -> None:
    """Let a layer that reads words through, or refuse it; placeholders stand for numbers that come with the weights.

    Raises:
        ArchitectureError: it has no vocabulary of its own, or one that is too large, or makes what no answer holds.
    """
    if not isinstance(config, dict):
        raise ArchitectureError(f"the architecture's {class_name} has no config")
    named = f"the architecture's {class_name} {str(config.get('name'))[:40]!r}"
    if config.get("sparse") or config.get("ragged"):
        raise ArchitectureError(f"{named} makes sparse or ragged arrays: save it with sparse=False, ragged=False")
    if class_name in HASHES:
        return
    if config.get("encoding", "utf-8") != "utf-8":
        raise ArchitectureError(f"{named} reads another encoding than UTF-8, which is what texts travel in")
    for key in ("num_oov_indices", "max_tokens"):
        if config.get(key) is not None and not _is_count(config[key], MAX_WORDS):
            raise ArchitectureError(f"{named} has a {key} that is no whole number up to {MAX_WORDS}")
    if not _are_ngrams(config.get("ngrams")):
        raise ArchitectureError(f"{named} looks up ngrams of more than {MAX_NGRAM} words")
    words = _check_vocabulary(named, config, WORDS[class_name])
    if config.get("output_mode") in ("tf_idf", "tf-idf"):
        config["idf_weights"] = [0.0] * len(words)


def _check_vocabulary(named: str, config: dict[str, Any], kind: type) -> list[Any]:
    words = config.get("vocabulary")
    if isinstance(words, str):
        raise ArchitectureError(f"{named} reads its vocabulary from a file that is not in the archive")
    if not words:
        raise ArchitectureError(
            f"{named} has no vocabulary: adapt it, and save the model as .keras, which has the vocabulary with it"
        )
    if not isinstance(words, list) or set(map(type, words)) != {kind}:
        raise ArchitectureError(f"{named} has a vocabulary that is no list of {'texts' if kind is str else 'numbers'}")
    special = [config[key] for key in ("mask_token", "oov_token") if config.get(key) is not None]
    if not set(map(type, special)) <= {kind}:
        raise ArchitectureError(f"{named} has a mask_token or oov_token that is no word of a vocabulary")
    count = len(words) + (config.get("num_oov_indices") or 1)
    widest = max(len(str(each)) for each in (*words, *special))
    if count > MAX_WORDS or count * widest * CHARACTER_BYTES > MAX_WORDS_BYTES:
        raise ArchitectureError(
            f"{named} has a vocabulary of {len(words)} words of up to {widest} characters: {MAX_WORDS} words may be in "
            f"one, and fewer where one of them is longer than {MAX_WORDS_BYTES // CHARACTER_BYTES // MAX_WORDS}"
        )
    return words


def _is_count(value: object, most: int) -> bool:
    return type(value) is int and 0 <= value <= most


def _are_ngrams(value: object) -> bool:
    if value is None:
        return True
    widths = value if isinstance(value, list) else [value]
    return 0 < len(widths) <= MAX_NGRAM and all(_is_count(each, MAX_NGRAM) and each for each in widths)
