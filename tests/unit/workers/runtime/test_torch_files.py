"""Files that PyTorch itself wrote, in each way in which people save a network, answer as it does or are refused."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pytest

from tests.unit.networks import SUM_CONFIG
from tests.unit.samples import NN_ID
from workers.messages.protocol import VersionRef
from workers.runtime.errors import WeightsError
from workers.runtime.file_format import tell_format
from workers.runtime.loading import LoadedVersion
from workers.runtime.networks import Networks
from workers.runtime.torch_file import open_torch_file
from workers.runtime.weights_file import WeightsFileReader
from workers.settings import ROOT

FOLDER = ROOT / "tests" / "data" / "torch_2_14"
ANSWERS = json.loads((FOLDER / "answers.json").read_text())
CHECKPOINT = "epoch,optimizer_state_dict,loss,rng_state"
#: What each file holds beside the weights.
IGNORED = {
    "checkpoint": CHECKPOINT, "state_dict": "arch,best", "views": "", "extras": "steps,scale,epoch",
    "before_1_6_plain": "", "before_1_6_checkpoint": CHECKPOINT, "before_1_6_views": "",
}  # fmt: skip


def load(reader: WeightsFileReader, weights: bytes) -> LoadedVersion:
    files = {hashlib.sha256(content).hexdigest(): content for content in (SUM_CONFIG.encode(), weights)}
    architecture, digest = files

    def fetch(name: str, target: Path) -> None:
        target.write_bytes(files[name])

    return Networks(fetch, reader, 1024**3).acquire(VersionRef(NN_ID, 1, digest, architecture))


@pytest.mark.parametrize("name", IGNORED)
def test_a_file_answers_as_torch_does_and_what_was_ignored_is_told(name: str, reader: WeightsFileReader) -> None:
    loaded = load(reader, (FOLDER / f"{name}.pt").read_bytes())

    outputs = loaded.predict_rows(np.array(ANSWERS["rows"], np.float32))
    np.testing.assert_allclose(outputs, ANSWERS["predictions"], rtol=0, atol=1e-6)
    said = f"Its file holds more than the network's weights, which was ignored: {IGNORED[name]}."
    assert loaded.remarks == ([said] if IGNORED[name] else [])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("two_networks", r"weights in several places \(model,average\).*: save it by torch\.save"),
        ("module", r"(asks for torch\.nn|makes more than tensors).*: save it by torch\.save"),
    ],
)
def test_a_file_that_does_not_tell_its_weights_is_refused_with_what_to_do(
    name: str, reason: str, reader: WeightsFileReader
) -> None:
    with pytest.raises(WeightsError, match=reason):
        load(reader, (FOLDER / f"{name}.pt").read_bytes())


def test_a_program_is_no_file_of_tensors() -> None:
    assert tell_format((FOLDER / "program.pt").read_bytes()) is None


def read(content: bytes) -> None:
    with open_torch_file(io.BytesIO(content), 10_000) as stored:
        for tensor in stored.by_name.values():
            tensor.read()


def test_a_file_before_1_6_that_is_cut_off_anywhere_is_refused() -> None:
    whole = (FOLDER / "before_1_6_plain.pt").read_bytes()
    assert tell_format(whole) == "torch"

    for length in range(len(whole)):
        with pytest.raises(ValueError):
            read(whole[:length])


def test_a_storage_before_1_6_of_another_size_than_its_tensors_say_is_refused() -> None:
    whole = bytearray((FOLDER / "before_1_6_plain.pt").read_bytes())
    count_of_largest = whole.index((400).to_bytes(8, "little"))
    whole[count_of_largest] ^= 1

    with pytest.raises(ValueError, match="has another size than its tensors say"):
        read(bytes(whole))


def test_no_damage_to_a_file_before_1_6_raises_anything_else() -> None:
    whole = (FOLDER / "before_1_6_plain.pt").read_bytes()
    for position in range(15, 1100):
        damaged = whole[:position] + bytes([whole[position] ^ 0x81]) + whole[position + 1 :]
        try:
            read(damaged)
        except (ValueError, MemoryError):
            pass
