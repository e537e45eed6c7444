"""Layers that read words are let through with a vocabulary in the config, within bounds, and refused otherwise."""

from __future__ import annotations

import json
import resource
from typing import Any

import pytest

from workers.runtime import lookup_check
from workers.runtime.architecture_check import check_architecture
from workers.runtime.engine import Architecture
from workers.runtime.errors import ArchitectureError
from workers.runtime.models import build_model


def config(kind: str, dtype: str = "string", **options: Any) -> str:
    given = {
        "module": "keras.layers",
        "class_name": "InputLayer",
        "config": {"batch_shape": [None, 1], "dtype": dtype, "name": "in"},
    }
    layer = {
        "module": "keras.layers",
        "class_name": kind,
        "config": {"name": "it", **options},
        "registered_name": None,
    }
    return json.dumps(
        {"module": "keras", "class_name": "Sequential", "config": {"name": "m", "layers": [given, layer]}}
    )


TEXT: dict[str, Any] = {"standardize": None, "split": "whitespace", "ngrams": None, "vocabulary": ["a"]}


@pytest.mark.parametrize(
    ("kind", "options", "reason"),
    [
        ("StringLookup", {"vocabulary": "/etc/passwd"}, "reads its vocabulary from a file that is not in the archive"),
        ("TextVectorization", TEXT | {"vocabulary": "gs://elsewhere/words"}, "'it' reads its vocabulary from a file"),
        ("IntegerLookup", {"vocabulary": "https://elsewhere"}, "reads its vocabulary from a file"),
        ("StringLookup", {}, "has no vocabulary: adapt it"),
        ("StringLookup", {"vocabulary": []}, "has no vocabulary"),
        ("StringLookup", {"vocabulary": {"class_name": "__numpy__", "config": {"dtype": "int8"}}}, "no list of texts"),
        ("StringLookup", {"vocabulary": ["a", 1]}, "no list of texts"),
        ("StringLookup", {"vocabulary": ["a", ["b"]]}, "no list of texts"),
        ("IntegerLookup", {"vocabulary": ["a"]}, "no list of numbers"),
        ("IntegerLookup", {"vocabulary": [True]}, "no list of numbers"),
        ("StringLookup", {"vocabulary": ["a"], "oov_token": 5}, "no word of a vocabulary"),
        ("StringLookup", {"vocabulary": ["a"], "mask_token": ["b"]}, "no word of a vocabulary"),
        ("StringLookup", {"vocabulary": ["a"], "num_oov_indices": 10**10}, "a num_oov_indices that is no whole number"),
        ("StringLookup", {"vocabulary": ["a"], "num_oov_indices": -1}, "a num_oov_indices that is no whole number"),
        ("StringLookup", {"vocabulary": ["a"], "num_oov_indices": 1.5}, "a num_oov_indices that is no whole number"),
        ("StringLookup", {"vocabulary": ["a"], "max_tokens": 10**10}, "a max_tokens that is no whole number"),
        ("StringLookup", {"vocabulary": ["a"], "encoding": "rot13"}, "another encoding than UTF-8"),
        ("StringLookup", {"vocabulary": ["a"], "sparse": True}, "sparse or ragged"),
        ("Hashing", {"num_bins": 3, "sparse": True}, "sparse or ragged"),
        ("HashedCrossing", {"num_bins": 3, "sparse": True}, "sparse or ragged"),
        ("TextVectorization", TEXT | {"ragged": True}, "sparse or ragged"),
        ("TextVectorization", TEXT | {"ngrams": 10_000}, "ngrams of more than 16 words"),
        ("TextVectorization", TEXT | {"ngrams": [1, 10_000]}, "ngrams of more than 16 words"),
        ("TextVectorization", TEXT | {"ngrams": [1] * 17}, "ngrams of more than 16 words"),
        ("TextVectorization", TEXT | {"ngrams": [0]}, "ngrams of more than 16 words"),
        ("TextVectorization", TEXT | {"standardize": {"class_name": "__lambda__"}}, "does not say which module"),
        ("TextVectorization", TEXT | {"output_mode": "tf_idf", "ngrams": "a"}, "ngrams of more than"),
    ],
)
def test_a_layer_that_reads_words_of_elsewhere_or_without_bound_is_refused(
    kind: str, options: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ArchitectureError, match=reason):
        check_architecture(config(kind, **options))


def test_a_vocabulary_is_bounded_in_words_and_in_what_numpy_makes_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup_check, "MAX_WORDS", 10)
    monkeypatch.setattr(lookup_check, "MAX_WORDS_BYTES", 400)
    words = [str(number) for number in range(9)]

    check_architecture(config("StringLookup", vocabulary=words))
    with pytest.raises(ArchitectureError, match="a vocabulary of 10 words of up to 1 characters: 10 words may be"):
        check_architecture(config("StringLookup", vocabulary=[*words, "x"]))
    with pytest.raises(ArchitectureError, match="a vocabulary of 2 words of up to 50 characters"):
        check_architecture(config("StringLookup", vocabulary=["a", "b" * 50]))
    with pytest.raises(ArchitectureError, match="a vocabulary of 1 words of up to 90 characters"):
        check_architecture(config("StringLookup", vocabulary=["a"], oov_token="b" * 90))


@pytest.mark.parametrize(
    "options",
    [
        {"kind": "TextVectorization", **TEXT, "output_sequence_length": 10**10},
        {"kind": "Hashing", "num_bins": 10**10, "output_mode": "one_hot"},
    ],
)
def test_what_words_become_is_measured_before_it_is_built(options: dict[str, Any]) -> None:
    with pytest.raises(ArchitectureError, match="bytes of memory, more than"):
        Architecture(config(**options))


def test_what_a_config_lacks_is_named() -> None:
    lacking = {key: value for key, value in TEXT.items() if key != "split"}

    with pytest.raises(ArchitectureError, match="Keras cannot build this architecture: 'split' is missing"):
        build_model(config("TextVectorization", **lacking))


def test_a_large_vocabulary_counts_as_memory() -> None:
    words = [f"word {number}" for number in range(3000)]

    with pytest.raises(ArchitectureError, match="bytes of memory, more than the 500000 allowed"):
        build_model(config("StringLookup", vocabulary=words), 500_000)


def test_refusing_takes_no_memory() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for options in ({"num_oov_indices": 10**9}, {"max_tokens": 10**9, "pad_to_max_tokens": True}):
        with pytest.raises(ArchitectureError):
            check_architecture(config("StringLookup", vocabulary=["a"], output_mode="tf_idf", **options))

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000
