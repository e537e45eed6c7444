"""Networks that read words answer as Keras does: from archives with vocabularies, alone and in company, by version."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.unit.samples import NN_ID
from tests.unit.workers.runtime.lookup_samples import (
    TEXTS,
    WORDS,
    Files,
    adapted,
    load,
    lookup,
    of_texts,
    texts,
    upload,
    vectorization,
)
from workers.messages.protocol import VersionRef
from workers.runtime.backend import keras
from workers.runtime.keras_archive import read_architecture
from workers.runtime.networks import Networks
from workers.runtime.weights_file import WeightsFileReader
from workers.settings import ROOT

layers = keras.layers
DATA = ROOT / "tests" / "data"
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

READERS: dict[str, tuple[Callable[[], Any], list[Any]]] = {
    "places in a vocabulary": (lambda: vectorization(output_sequence_length=6), TEXTS),
    "places, as many as words": (lambda: vectorization(), TEXTS),
    "several words": (lambda: vectorization(output_mode="multi_hot"), TEXTS),
    "how often": (lambda: vectorization(output_mode="count", max_tokens=20, pad_to_max_tokens=True), TEXTS),
    "how rare": (lambda: vectorization(output_mode="tf_idf"), TEXTS),
    "how rare, padded": (lambda: vectorization(output_mode="tf_idf", max_tokens=30, pad_to_max_tokens=True), TEXTS),
    "characters": (lambda: vectorization(split="character", standardize=None, output_sequence_length=9), TEXTS[:5]),
    "pairs of words": (lambda: vectorization(ngrams=2, output_mode="multi_hot"), TEXTS),
    "words in the config": (lambda: layers.TextVectorization(vocabulary=["cat", "dog"]), TEXTS),
    "a word": (lambda: lookup(), WORDS),
    "a word, or one of three unknown ones": (lambda: lookup(num_oov_indices=3, mask_token=""), [*WORDS, "x", "y"]),
    "a word, how rare": (lambda: lookup(output_mode="tf_idf"), WORDS),
    "one of so many": (lambda: lookup(output_mode="one_hot"), WORDS),
    "known words alone": (lambda: lookup(num_oov_indices=0), WORDS),
    "hashes": (lambda: layers.Hashing(7), WORDS),
    "salted hashes": (lambda: layers.Hashing(7, salt=[3, 5], output_mode="one_hot"), WORDS),
    "nothing": (lambda: layers.Identity(dtype="string"), WORDS),
}


@pytest.mark.parametrize("name", READERS)
def test_texts_are_read_as_keras_reads_them(name: str, tmp_path: Path, reader: WeightsFileReader) -> None:
    make, values = READERS[name]
    model = of_texts(make())
    version = load(model, tmp_path, reader)
    given = texts(*values)

    for rows in (given, given[:1], given[1:3]):
        wanted = _plain(model(rows))
        answered = next(iter(version.predict({"": rows}).values()))
        assert (answered.shape, answered.tolist()) == (wanted.shape, wanted.tolist())


def _plain(output: Any) -> NDArray[Any]:
    array: NDArray[Any] = np.asarray(output)
    return np.vectorize(lambda value: value.decode(), otypes=[object])(array) if array.dtype == object else array


@pytest.mark.parametrize("dtype", ["int64", "int32"])
def test_whole_numbers_are_looked_up(dtype: str, tmp_path: Path, reader: WeightsFileReader) -> None:
    model = of_texts(adapted(layers.IntegerLookup(), [7, 7, 2**40, -3]), dtype="int64")
    version = load(model, tmp_path, reader)

    answered = version.predict_rows(np.array([[7], [-3], [5]], dtype))
    assert answered.tolist() == np.asarray(model(np.array([[7], [-3], [5]]))).tolist()


def test_places_become_words_again(tmp_path: Path, reader: WeightsFileReader) -> None:
    words = ["red", "übergrün", "😀"]
    model = of_texts(layers.StringLookup(vocabulary=words, invert=True), dtype="int64")
    version = load(model, tmp_path, reader)

    assert version.architecture.outputs[0].dtype == "string"
    assert version.predict_rows(np.array([[1], [2], [3], [9]])).tolist() == [[each] for each in (*words, "[UNK]")]


@pytest.mark.parametrize("saved", sorted(DATA.glob("words_*.keras")), ids=lambda path: path.stem)
def test_archives_of_several_releases_of_keras_answer_as_their_own_did(saved: Path, reader: WeightsFileReader) -> None:
    files, content, told = Files(), saved.read_bytes(), json.loads(saved.with_suffix(".json").read_text("utf-8"))
    version = VersionRef(NN_ID, 1, files.add(content), files.add(read_architecture(content).encode()))
    rows = {name: np.array(values, None if name == "size" else object) for name, values in told["rows"].items()}

    answered = Networks(files.fetch, reader, 1024**3).acquire(version).predict(rows)

    assert answered.keys() == told["answers"].keys()
    for name, wanted in told["answers"].items():
        np.testing.assert_allclose(answered[name], wanted, rtol=1e-6, err_msg=name)


def several_inputs() -> keras.Model:
    text = keras.Input((1,), dtype="string", name="text")
    color = keras.Input((1,), dtype="string", name="color")
    size = keras.Input((1,), name="size")
    words = layers.Embedding(64, 4, mask_zero=True)(vectorization()(text))
    crossed = layers.HashedCrossing(8, output_mode="one_hot")((text, color))
    inner_given = keras.Input((1,), dtype="string")
    inner = keras.Model(inner_given, adapted(layers.StringLookup(output_mode="one_hot"), ["a", "b"])(inner_given))
    known = [adapted(layers.StringLookup(output_mode="one_hot", num_oov_indices=0), WORDS)(color), inner(text)]
    score = layers.Dense(2, name="score")(layers.Concatenate()([layers.LSTM(3)(words), crossed, *known, size]))
    return keras.Model([text, color, size], {"score": score, "color": color})


def test_texts_and_numbers_by_name_answer_alike_alone_and_in_company(tmp_path: Path, reader: WeightsFileReader) -> None:
    model = several_inputs()
    version = load(model, tmp_path, reader)
    given = {
        "text": texts("The cat sat", "a b c d e f g", "nothing known"),
        "color": texts("red", "re\0d", "😀"),
        "size": np.array([[0.5], [1.5], [2.5]], np.float32),
    }

    answered = version.predict(given, [1, 1, 1])

    assert not version.weights.rows_belong_together
    assert answered["color"].tolist() == given["color"].tolist()
    np.testing.assert_allclose(answered["score"], np.asarray(model(given)["score"]), atol=1e-6)
    for row in range(3):
        alone = version.predict({name: array[row : row + 1] for name, array in given.items()})
        np.testing.assert_allclose(alone["score"], answered["score"][row : row + 1], atol=1e-6)


@pytest.mark.parametrize(
    ("make", "together"),
    [
        (lambda text: vectorization()(text), True),
        (lambda text: layers.GlobalAveragePooling1D()(layers.Embedding(64, 2)(vectorization()(text))), True),
        (
            lambda text: layers.GlobalAveragePooling1D()(
                layers.Embedding(64, 2, mask_zero=True)(vectorization()(text))
            ),
            False,
        ),
        (lambda text: vectorization(output_sequence_length=5)(text), False),
        (lambda text: layers.TextVectorization(vocabulary=["a"])(text), True),
    ],
    ids=["as long as the longest", "averaged", "averaged without what is no word", "so long", "one word"],
)
def test_texts_that_change_one_anothers_answers_are_computed_request_by_request(
    make: Callable[[Any], Any], together: bool, tmp_path: Path, reader: WeightsFileReader
) -> None:
    given = keras.Input((1,), dtype="string")
    model = keras.Model(given, make(given))

    assert load(model, tmp_path, reader).weights.rows_belong_together is together


def test_versions_with_vocabularies_of_their_own_answer_by_them_at_once_and_after_a_restart(
    tmp_path: Path, reader: WeightsFileReader
) -> None:
    files = Files()
    models = [
        of_texts(adapted(layers.TextVectorization(output_mode="tf_idf"), seen))
        for seen in (["a b", "b"], ["b c d", "d"])
    ]
    first, second = (upload(files, model, tmp_path, number) for number, model in enumerate(models, 1))
    rows = texts("a b c d", "d d")
    wanted = [np.asarray(model(rows)).tolist() for model in models]
    networks = Networks(files.fetch, reader, 1024**3)

    both = [networks.acquire(first), networks.acquire(second)]
    for _ in range(2):
        assert [version.predict_rows(rows).tolist() for version in both] == wanted
    assert [
        Networks(files.fetch, reader, 1024**3).acquire(each).predict_rows(rows).tolist() for each in (second, first)
    ] == wanted[::-1]


def test_bare_weights_that_come_later_take_the_vocabulary_of_the_version_before(
    tmp_path: Path, reader: WeightsFileReader
) -> None:
    files = Files()
    given = keras.Input((1,), dtype="string")
    words = vectorization(output_mode="tf_idf")(given)
    model = keras.Model(given, layers.Dense(2)(words))
    before = upload(files, model, tmp_path)
    model.layers[-1].set_weights([each + 1 for each in model.layers[-1].get_weights()])
    model.save_weights(tmp_path / "next.weights.h5")
    after = VersionRef(NN_ID, 2, files.add((tmp_path / "next.weights.h5").read_bytes()), before.architecture)

    answered = Networks(files.fetch, reader, 1024**3).acquire(after).predict_rows(texts(*TEXTS))

    np.testing.assert_allclose(answered, np.asarray(model(texts(*TEXTS))), atol=1e-6)
