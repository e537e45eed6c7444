"""The helper process that reads uploads, and what becomes of the worker when it crashes or hangs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep

import h5py
import numpy as np
import pytest
from safetensors.numpy import save as safetensors

from workers.messages.message import LINE_CHARACTERS_MAX, TRACE_CHARACTERS_MAX
from workers.runtime import weights_file
from workers.runtime.errors import WeightsError
from workers.runtime.wanted_weights import Variable, WantedWeights
from workers.runtime.weights_file import WeightsFileReader

ARRAY = np.arange(6, dtype=np.float32)
WANTED = WantedWeights("one", (Variable("one", (6,), "float32"),), dense_chain=False)
#: The helper's place taken by a program that dies of a segmentation fault when it is asked.
CRASHING = [sys.executable, "-c", "import os, sys; sys.stdin.readline(); os.kill(os.getpid(), 11)"]
EXITING = [sys.executable, "-c", "import sys; sys.stdin.readline(); sys.exit(3)"]
HANGING = [sys.executable, "-c", "import sys; sys.stdin.readline(); sys.stdin.readline()"]


@pytest.fixture(scope="module")
def reader() -> Iterator[WeightsFileReader]:
    """A reader with its helper running, for all tests that leave it so."""
    reader = WeightsFileReader(60.0)
    reader.start()
    yield reader
    reader.stop()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = monotonic() + 10
    while not condition():
        assert monotonic() < deadline
        sleep(0.01)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    with h5py.File(tmp_path / "good", "w") as file:
        file["one"] = ARRAY
    return tmp_path / "good"


def test_a_good_file_is_copied(reader: WeightsFileReader, good: Path, tmp_path: Path) -> None:
    reader.read(good, tmp_path / "cleaned", WANTED)

    with h5py.File(tmp_path / "cleaned") as file:
        assert np.array_equal(file["one"], ARRAY)


def test_a_bad_file_is_refused_with_the_helpers_trace(reader: WeightsFileReader, tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(b"bad")

    with pytest.raises(WeightsError, match="cannot be read: ValueError: the file is neither") as refused:
        reader.read(tmp_path / "bad", tmp_path / "cleaned", WANTED)
    assert "Traceback (most recent call last)" in str(refused.value.__cause__)


def test_what_is_said_of_a_bad_file_has_a_bound(reader: WeightsFileReader, tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(safetensors({"x" * 9_000_000: ARRAY}))

    with pytest.raises(
        WeightsError, match=r"the file holds 1 tensors \(x+ … \d+ characters left out … .*one\)"
    ) as refused:
        reader.read(tmp_path / "bad", tmp_path / "cleaned", WANTED)
    assert len(str(refused.value)) < 2 * LINE_CHARACTERS_MAX
    assert len(str(refused.value.__cause__)) <= TRACE_CHARACTERS_MAX


def test_after_a_bad_file_a_good_one_is_read_by_the_same_helper(
    reader: WeightsFileReader, good: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad").write_bytes(b"bad")
    before = reader._idle[0].pid
    with pytest.raises(WeightsError):
        reader.read(tmp_path / "bad", tmp_path / "cleaned", WANTED)

    reader.read(good, tmp_path / "cleaned", WANTED)

    assert reader._idle[0].pid == before


@pytest.mark.parametrize(
    ("helper", "ending"), [(CRASHING, r"crashed the helper that read it \(signal 11\)"), (EXITING, "exit status 3")]
)
def test_a_crash_of_the_helper_is_an_error_of_the_file_and_the_next_file_is_read(
    helper: list[str], ending: str, good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = WeightsFileReader(60.0)
    with monkeypatch.context() as patch:
        patch.setattr(weights_file, "HELPER", helper)
        with pytest.raises(WeightsError, match=ending):
            reader.read(good, tmp_path / "cleaned", WANTED)

    reader.read(good, tmp_path / "cleaned", WANTED)
    reader.stop()


def test_a_helper_that_was_killed_while_idle_is_started_again(
    reader: WeightsFileReader, good: Path, tmp_path: Path
) -> None:
    idle = reader._idle[0]
    os.kill(idle.pid, signal.SIGKILL)
    wait_until(lambda: not idle.alive())

    reader.read(good, tmp_path / "cleaned", WANTED)


def test_a_file_that_is_not_read_in_time_is_refused_and_its_helper_ended(
    good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights_file, "HELPER", HANGING)
    reader = WeightsFileReader(0.2)
    reader.start()
    hanging = reader._idle[0]

    with pytest.raises(WeightsError, match=r"not read within 0\.2 s"):
        reader.read(good, tmp_path / "cleaned", WANTED)

    assert not hanging.alive()
    assert reader._idle == []


def test_a_file_that_prints_names_of_its_own_does_not_confuse_the_answers(
    reader: WeightsFileReader, good: Path, tmp_path: Path
) -> None:
    with h5py.File(tmp_path / "bad", "w") as file:
        file['}\n{"error": ""}\n'] = h5py.SoftLink("/")
    with pytest.raises(WeightsError, match="is a link"):
        reader.read(tmp_path / "bad", tmp_path / "cleaned", WANTED)

    reader.read(good, tmp_path / "cleaned", WANTED)


def test_a_name_that_is_no_utf8_gives_a_message_that_can_be_sent(reader: WeightsFileReader, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "bad", "w") as file:
        file[b"\xff\xfe"] = h5py.SoftLink("/")

    with pytest.raises(WeightsError) as refusal:
        reader.read(tmp_path / "bad", tmp_path / "cleaned", WANTED)

    assert str(refusal.value).encode()


def test_a_stopped_reader_leaves_no_process(good: Path) -> None:
    reader = WeightsFileReader(60.0)
    reader.start()
    helper = reader._idle[0]

    reader.stop()

    assert not helper.alive()


def test_a_hanging_file_delays_no_other_one(good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = WeightsFileReader(60.0)
    with monkeypatch.context() as patch:
        patch.setattr(weights_file, "HELPER", HANGING)
        reader.start()
    refused: list[Exception] = []

    def read_forever() -> None:
        try:
            reader.read(good, tmp_path / "never", WANTED)
        except WeightsError as error:
            refused.append(error)

    hanging = threading.Thread(target=read_forever)
    hanging.start()
    wait_until(lambda: bool(reader._busy))

    assert reader.read(good, tmp_path / "cleaned", WANTED).layout == "hdf5"

    assert hanging.is_alive()
    reader.stop()
    hanging.join(10)
    assert "crashed the helper" in str(refused[0])


def test_a_helper_whose_worker_has_died_ends_by_itself(good: Path, tmp_path: Path) -> None:
    """Also in the middle of a file: its own alarm ends it."""
    os.mkfifo(tmp_path / "endless")
    line = {
        "source": str(tmp_path / "endless"),
        "target": str(tmp_path / "x"),
        "wanted": WANTED.to_json(),
        "seconds": 0.1,
    }
    ended = subprocess.run([*weights_file.HELPER], input=json.dumps(line) + "\n", text=True, timeout=60, check=False)

    assert ended.returncode == -signal.SIGALRM
