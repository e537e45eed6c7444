"""An archive's vocabularies stand in the architecture that is read from it, each in its own layer, within bounds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.archives import archive
from workers.runtime import keras_archive
from workers.runtime.keras_archive import read_architecture


def lookup(kind: str = "StringLookup", **config: Any) -> dict[str, Any]:
    return {"module": "keras.layers", "class_name": kind, "config": {"vocabulary": None, **config}}


def model(*layers: Any, kind: str = "Functional") -> dict[str, Any]:
    return {"class_name": kind, "config": {"layers": list(layers)}}


def read(described: Any, files: dict[str, bytes]) -> Any:
    members = {f"assets/layers/{name}/vocabulary.txt": content for name, content in files.items()}
    return json.loads(read_architecture(archive({"config.json": json.dumps(described).encode(), **members})))


def vocabularies(described: dict[str, Any]) -> list[Any]:
    return [
        vocabularies(layer) if "layers" in layer["config"] else layer["config"]["vocabulary"]
        for layer in described["config"]["layers"]
    ]


def test_each_layer_gets_the_vocabulary_of_its_class_and_place() -> None:
    inner = model(lookup(), lookup("IntegerLookup"), kind="Sequential")
    described = model(
        lookup(), lookup("TextVectorization"), inner, lookup(), lookup("TextVectorization"), model(lookup())
    )
    files = {
        "string_lookup": b"a",
        "string_lookup_1": b"b\nc",
        "text_vectorization/_lookup_layer": b"\n[UNK]\nd",
        "text_vectorization_1/_lookup_layer": b"e",
        "sequential/layers/string_lookup": b"f",
        "sequential/layers/integer_lookup": b"-1\n7",
        "functional/layers/string_lookup": "😀\u2028\x85".encode(),
    }

    assert vocabularies(read(described, files)) == [
        ["a"], ["", "[UNK]", "d"], [["f"], [-1, 7]], ["b", "c"], ["e"], [["😀\u2028\x85"]],
    ]  # fmt: skip


def test_of_a_vocabulary_that_stands_twice_the_one_under_the_lookup_counts() -> None:
    files = {"text_vectorization": b"wrong", "text_vectorization/_lookup_layer": b"right"}

    assert vocabularies(read(model(lookup("TextVectorization")), files)) == [["right"]]


def test_a_vocabulary_in_the_config_counts_and_still_has_its_place() -> None:
    described = model(lookup(vocabulary=["mine"]), lookup())

    assert vocabularies(read(described, {"string_lookup_1": b"a"})) == [["mine"], ["a"]]


@pytest.mark.parametrize(
    ("content", "size", "words"),
    [
        (b"a\nb\n\n", None, ["a", "b"]),
        (b"a\nb\n", 3, ["a", "b", ""]),
        (b"a\r\nb\r\n", 2, ["a", "b"]),
        (b"a\r\nb", 2, ["a", "b"]),
        (b"a\r\nb\nc", 3, ["a\r", "b", "c"]),
        (b"a", 1, ["a"]),
    ],
)
def test_lines_are_read_as_they_were_written(content: bytes, size: int | None, words: list[str]) -> None:
    assert vocabularies(read(model(lookup(vocabulary_size=size)), {"string_lookup": content})) == [words]


@pytest.mark.parametrize(
    ("layer", "name", "content", "reason"),
    [
        (lookup(), "string_lookup", b"\xff", "string_lookup/vocabulary.txt in the archive is no UTF-8 text"),
        (lookup(), "string_lookup", b"\n\n", "is empty: adapt the layer"),
        (lookup(), "string_lookup_1", b"a", "the archive has no member assets/layers/string_lookup/vocabulary.txt"),
        (lookup("IntegerLookup"), "integer_lookup", b"1\na", "no whole number"),
        (lookup("IntegerLookup"), "integer_lookup", b"9" * 5000, "no whole number"),
        (lookup(), "string_lookup", b"x" * 101, "is larger than 100 bytes"),
    ],
)
def test_a_vocabulary_that_is_none_is_refused(
    layer: Any, name: str, content: bytes, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keras_archive, "MAX_VOCABULARIES_BYTES", 10_000 if b"9" in content else 100)

    with pytest.raises(ValueError, match=reason):
        read(model(layer), {name: content})


def test_vocabularies_share_one_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras_archive, "MAX_VOCABULARIES_BYTES", 100)

    with pytest.raises(ValueError, match=r"string_lookup_1/vocabulary\.txt in the archive is larger than 40 bytes"):
        read(model(lookup(), lookup()), {"string_lookup": b"x" * 60, "string_lookup_1": b"y" * 60})


def test_an_architecture_with_its_vocabularies_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras_archive, "MAX_FILLED_BYTES", 500)

    with pytest.raises(ValueError, match="take more than 500 bytes"):
        read(model(lookup()), {"string_lookup": b"\x01" * 100})


@pytest.mark.parametrize(
    "described",
    [
        5,
        [],
        {},
        {"config": 5},
        {"config": {"layers": 5}},
        {"config": {"layers": [5, {}, {"class_name": [], "config": {}}]}},
        {"config": {"layers": [{"class_name": "Functional", "config": []}, {"class_name": "Hashing", "config": 5}]}},
    ],
    ids=range(7),
)
def test_a_config_of_another_shape_is_left_as_it_is(described: Any) -> None:
    assert read(described, {"string_lookup": b"a"}) == described


@pytest.mark.parametrize("config", [b"[" * 100_000, b"{"], ids=["deep", "broken"])
def test_a_config_that_is_none_is_refused(config: bytes) -> None:
    with pytest.raises(ValueError, match=r"nested too deep|Expecting"):
        read_architecture(archive({"config.json": config, "assets/layers/string_lookup/vocabulary.txt": b"a"}))


def test_an_archive_without_vocabularies_is_read_letter_by_letter() -> None:
    config = '{ "class_name":"Sequential" }'

    assert read_architecture(archive({"config.json": config.encode()})) == config
