"""Rows are computed as many at a time as fit in a network's memory, and one that does not fit is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.unit.workers.runtime.lookup_samples import load, of_texts, texts, vectorization
from tests.unit.workers.runtime.plain_networks import answered, attention, layers, loaded, model_of
from workers.runtime import row_memory
from workers.runtime.backend import keras
from workers.runtime.engine import Architecture, Weights
from workers.runtime.errors import AnswerTooLargeError, ArchitectureError, NumbersError, WeightsError
from workers.runtime.weights_file import WeightsFileReader

MEBIBYTE = 1024**2
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many rows each call of a network had."""
    calls: list[int] = []
    compute = Architecture._compute

    def count(self: Architecture, weights: Weights, rows: list[NDArray[Any]]) -> Any:
        calls.append(len(rows[0]))
        return compute(self, weights, rows)

    monkeypatch.setattr(Architecture, "_compute", count)
    return calls


def test_rows_that_become_large_inside_are_computed_some_at_a_time(computed: list[int]) -> None:
    model = model_of((1,), layers.RepeatVector(10_000), layers.GlobalAveragePooling1D())
    architecture, weights = loaded(model, MEBIBYTE)
    rows = np.arange(40, dtype=np.float32).reshape(40, 1)
    computed.clear()

    np.testing.assert_allclose(architecture.predict_rows(weights, rows), rows, rtol=1e-6)

    assert computed == [13, 13, 13, 2], "a row becomes 80 kB, and the last one is computed twice"


def test_many_small_rows_are_computed_at_once(computed: list[int]) -> None:
    architecture, weights = loaded(model_of((2,), layers.Dense(3)))
    computed.clear()

    architecture.predict_rows(weights, np.zeros((50_000, 2), np.float32))

    assert computed == [50_000]


@pytest.mark.parametrize(
    "make",
    [
        lambda: attention(20_000),
        lambda: model_of((1,), layers.RepeatVector(10**9), layers.GlobalAveragePooling1D()),
        lambda: model_of((10**8,), layers.MelSpectrogram()),
    ],
    ids=["what meets one another", "what is repeated", "what overlaps"],
)
def test_a_network_whose_smallest_batch_takes_too_much_is_refused_before_it_is_computed(
    make: Any, computed: list[int]
) -> None:
    with pytest.raises(ArchitectureError, match=r"the network needs \d+ bytes of memory, more than the \d+ allowed"):
        Architecture(make().to_json())

    assert not computed


def test_rows_of_any_length_are_computed_some_at_a_time_by_what_their_length_takes(computed: list[int]) -> None:
    model = attention(None)
    architecture, weights = loaded(model, 16 * MEBIBYTE)
    rows = np.random.default_rng(1).random((20, 200, 4)).astype(np.float32)
    computed.clear()

    np.testing.assert_allclose(architecture.predict_rows(weights, rows), answered(model, rows), rtol=1e-5)

    assert computed == [15, 5], "measured for the next length that is a power of two, at 1 MiB a row"


def test_a_row_that_is_too_long_is_refused_with_what_it_would_take() -> None:
    architecture, weights = loaded(attention(None), 64 * MEBIBYTE)

    with pytest.raises(NumbersError, match=r"a row is too long for this network: it would take 2\d{8} bytes"):
        architecture.predict_rows(weights, np.zeros((1, 4000, 4), np.float32))
    architecture.predict_rows(weights, np.zeros((1, 1000, 4), np.float32))


def test_what_makes_a_row_shorter_first_lets_it_be_long() -> None:
    hearing = [layers.Conv1D(64, 10, 5), layers.Conv1D(64, 8, 4), layers.Conv1D(64, 8, 4)]
    architecture, weights = loaded(model_of((None, 1), *hearing, layers.GlobalAveragePooling1D()), 256 * MEBIBYTE)

    assert architecture.predict_rows(weights, np.zeros((1, 400_000, 1), np.float32)).shape == (1, 64)


def test_a_network_that_takes_rows_up_to_a_length_takes_those_up_to_it() -> None:
    given = keras.Input((None, 4))
    places = layers.Embedding(100, 4)(keras.ops.arange(100)[None])
    model = keras.Model(given, layers.GlobalAveragePooling1D()(given + places[:, :100]))
    architecture, weights = loaded(model)

    assert architecture.predict_rows(weights, np.zeros((3, 100, 4), np.float32)).shape == (3, 4)
    with pytest.raises(NumbersError, match=r"the network takes no rows of these sizes: .*100.*120"):
        architecture.predict_rows(weights, np.zeros((3, 120, 4), np.float32))


def test_sizes_that_were_measured_are_not_measured_again(monkeypatch: pytest.MonkeyPatch) -> None:
    architecture, weights = loaded(attention(None))
    traced: list[Any] = []
    trace = row_memory.RowMemory._trace

    def remember(self: row_memory.RowMemory, sizes: Any) -> Any:
        traced.append(sizes)
        return trace(self, sizes)

    monkeypatch.setattr(row_memory.RowMemory, "_trace", remember)

    for length in (100, 90, 300, 257, 400, 3, 512, 128):
        architecture.predict_rows(weights, np.zeros((2, length, 4), np.float32))

    assert traced == [(512,)], "128 when it was loaded"


def test_no_more_sizes_are_remembered_than_a_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_memory, "MEASURED_MAX", 2)
    architecture, weights = loaded(attention(None))

    for length in (100, 200, 300, 600):
        architecture.predict_rows(weights, np.zeros((2, length, 4), np.float32))

    assert list(architecture._row_memory._measured) == [(512,), (1024,)]


def test_rows_too_large_to_be_tried_in_company_are_computed_request_by_request() -> None:
    def inner(given: Any) -> Any:
        return keras.ops.mean(keras.ops.repeat(given, 10_000, axis=1), axis=1, keepdims=True)

    given = keras.Input((1,))
    model = keras.Model(given, inner(given))

    assert not loaded(model)[1].rows_belong_together
    architecture, weights = loaded(model, MEBIBYTE // 4)
    assert weights.rows_belong_together
    with pytest.raises(NumbersError, match=r"more rows than are computed at once: ask for \d rows or fewer"):
        architecture.predict_rows(weights, np.zeros((40, 1), np.float32))


@pytest.mark.parametrize("mode", ["count", "int"])
def test_a_text_of_more_words_than_there_is_memory_for_is_refused(
    mode: str, tmp_path: Path, reader: WeightsFileReader
) -> None:
    layer = layers.TextVectorization(vocabulary=[str(number) for number in range(300)], output_mode=mode)
    version = load(of_texts(layer), tmp_path, reader, 64 * MEBIBYTE)

    version.predict_rows(texts("0 " * 100_000))
    with pytest.raises(NumbersError, match="a row is too long for this network: it would take"):
        version.predict_rows(texts("0 " * 1_000_000))


def test_texts_whose_words_meet_one_another_are_refused_when_they_are_long(
    tmp_path: Path, reader: WeightsFileReader
) -> None:
    given = keras.Input((1,), dtype="string")
    words = layers.Embedding(9, 4)(layers.TextVectorization(vocabulary=["a", "b"])(given))
    model = keras.Model(given, layers.GlobalMaxPooling1D()(layers.MultiHeadAttention(2, 3)(words, words)))
    version = load(model, tmp_path, reader)

    version.predict_rows(texts("a b " * 500))
    with pytest.raises(NumbersError, match=r"it would take 256\d{8} bytes of memory"):
        version.predict_rows(texts("a b " * 20_000))


def test_texts_of_many_words_are_computed_some_at_a_time(
    computed: list[int], tmp_path: Path, reader: WeightsFileReader
) -> None:
    model = of_texts(vectorization(output_mode="count"))
    version = load(model, tmp_path, reader, MEBIBYTE)
    given = texts(*["cat " * (1000 * count) for count in range(9)])
    computed.clear()

    assert version.predict_rows(given).tolist() == np.asarray(model(given)).tolist()
    assert len(computed) > 1


def test_rows_that_are_merged_with_what_they_have_are_counted_as_many() -> None:
    given = keras.Input((10_000,))
    each = layers.Dense(500, activation="relu")(keras.ops.reshape(given, (-1, 1)))
    made = keras.ops.mean(keras.ops.reshape(layers.Dense(1)(each), (-1, 10_000)), axis=1, keepdims=True)

    rows = loaded(keras.Model(given, made))[0]._row_memory

    assert 20_000_000 < rows._compiled.bytes_of(1, 1) < 90_000_000, "500 floats for each of the 10,000 numbers of a row"


def test_branches_are_counted_beside_one_another() -> None:
    def member() -> Any:
        return [layers.RepeatVector(1000), layers.Dense(32), layers.GlobalAveragePooling1D()]

    given = keras.Input((4,))
    one, several = (
        keras.Model(given, layers.Concatenate()([keras.Sequential(member())(given) for _ in range(count)]))
        for count in (2, 20)
    )

    few, many = (loaded(each)[0]._row_memory._compiled.bytes_of(10, 1) for each in (one, several))

    assert many > 9 * few


def test_a_list_of_steps_is_counted_beside_what_it_is_made_of() -> None:
    model = model_of((None, 100), layers.LSTM(8, return_sequences=True), layers.GlobalAveragePooling1D())

    counted = loaded(model)[0]._row_memory._measure((1000,)).bytes_of(10, 1)

    assert counted > 2 * 10 * 1000 * 100 * 4


def test_an_answer_that_is_too_large_ends_at_the_part_that_makes_it_so(computed: list[int]) -> None:
    architecture, weights = loaded(model_of((1,), layers.Dense(1000)), 8 * MEBIBYTE)
    computed.clear()

    with pytest.raises(AnswerTooLargeError, match="ask for fewer rows at once"):
        architecture.predict_rows(weights, np.zeros((100_000, 1), np.float32))

    assert sum(computed) < 10_000


def test_answers_of_other_lengths_do_not_travel_together(tmp_path: Path, reader: WeightsFileReader) -> None:
    version = load(of_texts(layers.TextVectorization(vocabulary=["a", "b"])), tmp_path, reader)
    given = {"": texts("a b a", "a", "b b b b")}

    with pytest.raises(NumbersError, match="do not travel together"):
        version.predict(given, [2, 1])
    assert next(iter(version.predict(given).values())).shape == (3, 4)


def test_an_input_of_too_many_free_sizes_is_refused_before_it_is_tried() -> None:
    with pytest.raises(WeightsError, match="is too large to be tried"):
        loaded(model_of((None, None, None, 1), layers.AveragePooling3D(300), layers.GlobalMaxPooling3D()))


def test_a_length_that_the_network_does_not_take_is_found_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    given = keras.Input((None, 4))
    model = keras.Model(given, layers.GlobalAveragePooling1D()(given + np.zeros((1, 100, 4), np.float32)))
    architecture, weights = loaded(model)
    traced: list[Any] = []
    trace = row_memory.RowMemory._trace

    def remember(self: row_memory.RowMemory, sizes: Any) -> Any:
        traced.append(sizes)
        return trace(self, sizes)

    monkeypatch.setattr(row_memory.RowMemory, "_trace", remember)
    for _ in range(3):
        with pytest.raises(NumbersError, match="takes no rows of these sizes"):
            architecture.predict_rows(weights, np.zeros((2, 130, 4), np.float32))

    assert traced == [(256,), (130,)]
