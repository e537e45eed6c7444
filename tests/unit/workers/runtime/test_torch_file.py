"""A PyTorch file gives its tensors and nothing else: its pickle builds plain data, and no other name resolves."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support import archives
from tests.support.archives import Changed, Global, archive, pickled, tensor, torch_file
from workers.runtime import torch_file as torch_file_module
from workers.runtime.torch_file import open_torch_file
from workers.runtime.torch_pickle import Storage, Tensor
from workers.runtime.torch_state import TorchState

NUMBERS = np.arange(6, dtype=np.float32)


def read(content: bytes, max_bytes: int = 1000) -> dict[str, NDArray[Any]]:
    with open_torch_file(io.BytesIO(content), max_bytes) as stored_tensors:
        return {name: np.array(stored.read()) for name, stored in stored_tensors.by_name.items()}


def test_a_tensor_has_its_numbers() -> None:
    assert read(torch_file({"a": tensor()}, {"0": NUMBERS.tobytes()}))["a"].tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [
        ("DoubleStorage", "f8"), ("HalfStorage", "f2"), ("LongStorage", "i8"), ("IntStorage", "i4"),
        ("ShortStorage", "i2"), ("CharStorage", "i1"), ("ByteStorage", "u1"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("order", ["little", "big"])
def test_numbers_are_read_in_every_width_and_order(kind: str, dtype: str, order: str) -> None:
    numbers = NUMBERS.astype(("<" if order == "little" else ">") + dtype)

    found = read(torch_file({"a": tensor(kind)}, {"0": numbers.tobytes()}, byteorder=order.encode()))["a"]

    assert found.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_a_view_that_has_the_other_sign_is_read_with_it() -> None:
    """`torch.conj(z).imag` is saved as the numbers of z, and a property that says that they are negated."""
    state = {"a": tensor(properties={"neg": True}), "b": tensor(properties={"neg": False}), "c": tensor(properties={})}

    found = read(torch_file(state, {"0": NUMBERS.tobytes()}))

    assert found["a"].tolist() == [[0, -1, -2], [-3, -4, -5]]
    assert found["b"].tolist() == found["c"].tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize("properties", [{"conj": True}, {"neg": True, "more": 1}, ["neg"]])
def test_a_property_that_is_not_known_is_refused(properties: Any) -> None:
    with pytest.raises(ValueError, match="properties that are not known"):
        read(torch_file({"a": tensor(properties=properties)}, {"0": NUMBERS.tobytes()}))


def test_bfloat16_is_read() -> None:
    halves = (NUMBERS.view(np.uint32) >> 16).astype("<u2")

    assert read(torch_file({"a": tensor("BFloat16Storage")}, {"0": halves.tobytes()}))["a"].tolist() == [
        [0, 1, 2],
        [3, 4, 5],
    ]


def test_strides_and_offsets_are_honoured() -> None:
    state = {
        "transposed": tensor(shape=(3, 2), strides=(1, 3)),
        "row": tensor(offset=3, shape=(3,), strides=(1,)),
        "number": tensor(offset=5, shape=(), strides=()),
        "empty": tensor(offset=6, shape=(0, 3), strides=(3, 1)),
        "repeated": tensor(shape=(2, 2), strides=(0, 1)),
    }

    found = read(torch_file(state, {"0": NUMBERS.tobytes()}))

    assert found["transposed"].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert (found["row"].tolist(), found["number"].tolist(), found["empty"].shape) == ([3, 4, 5], 5, (0, 3))
    assert found["repeated"].tolist() == [[0, 1], [0, 1]]


@pytest.mark.parametrize(
    "bad",
    [
        tensor(offset=1),
        tensor(shape=(3, 3)),
        tensor(strides=(4, 1)),
        tensor(strides=(-3, 1)),
        tensor(offset=-1),
        tensor(offset=1.5),
        tensor(shape=(2,)),
        tensor(shape=(1,) * 9, strides=(1,) * 9),
        tensor(count=7),
        tensor(count=5),
        tensor(count=-6),
        tensor(count=2**62),
        tensor(key="../data.pkl"),
        tensor(key=5),
        tensor("OtherStorage"),
        Global("torch._utils", "_rebuild_tensor_v2")(1, 2, 3, 4),
        "no tensor",
        Global("torch", "FloatStorage"),
    ],
)
def test_a_tensor_that_is_none_is_refused(bad: Any) -> None:
    with pytest.raises(ValueError):
        read(torch_file({"a": bad}, {"0": NUMBERS.tobytes()}))


@pytest.mark.parametrize("state", [[1], 5, None, {1: tensor()}], ids=range(4))
def test_what_is_no_state_dict_is_refused(state: Any) -> None:
    with pytest.raises(ValueError, match=r"save it by torch\.save\(model\.state_dict\(\), path\)"):
        read(torch_file(state, {"0": NUMBERS.tobytes()}))


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_of_a_storage_that_is_larger_than_the_network_only_the_view_is_read(compression: int) -> None:
    storage = np.arange(10_000, dtype=np.float32)
    view = tensor(count=10_000, offset=9_000, shape=(2, 3), strides=(1, 2))
    members = {"net/data.pkl": pickled({"a": view}), "net/data/0": storage.tobytes()}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch_file_module, "SPREAD_BYTES_MAX", 0)
        assert read(archive(members, compression), 24)["a"].tolist() == [[9000, 9002, 9004], [9001, 9003, 9005]]


def test_a_view_whose_numbers_lie_far_apart_is_refused_before_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_file_module, "SPREAD_BYTES_MAX", 100)
    view = tensor(count=10_000, shape=(2, 2), strides=(1, 30))
    members = {"0": bytes(40_000)}

    assert read(torch_file({"a": view}, members), max_bytes=28)["a"].shape == (2, 2)
    with pytest.raises(ValueError, match=r"a is a view whose numbers lie far apart .* save `tensor\.clone\(\)`"):
        read(torch_file({"a": view}, members), max_bytes=27)


def test_a_storage_that_was_damaged_on_its_way_is_refused() -> None:
    content = torch_file({"a": tensor()}, {"0": NUMBERS.tobytes()})

    with pytest.raises(ValueError, match="Bad CRC-32"):
        read(content.replace(NUMBERS.tobytes(), (NUMBERS + 1).tobytes()))


def test_a_storage_of_two_sizes_is_refused() -> None:
    with pytest.raises(ValueError, match="two types or sizes"):
        read(torch_file({"a": tensor(), "b": tensor(count=5)}, {"0": NUMBERS.tobytes()}))


HANDED_OUT = [
    Global("torch._utils", "_rebuild_tensor_v2"), Global("torch._utils", "_rebuild_parameter"),
    Global("torch", "HalfStorage"), archives.Storage("FloatStorage", "0", 6), tensor(),
]  # fmt: skip
STATES = [
    None, {}, (None, {}), {"strides": (-3, 6)}, {"dtype": "bfloat16"}, {"__setstate__": None}, {"__class__": None},
    (None, {"__defaults__": ({"neg": True},)}), (None, {"dtype": "bfloat16"}), (None, {"__class__": None}),
]  # fmt: skip


@pytest.mark.parametrize("value", HANDED_OUT, ids=range(5))
@pytest.mark.parametrize("state", STATES, ids=range(len(STATES)))
def test_a_pickle_that_changes_what_it_is_handed_is_refused(value: Any, state: Any) -> None:
    with pytest.raises(ValueError, match="the file changes what it is made of"):
        read(torch_file({"a": tensor(), "b": Changed(value, state)}, {"0": NUMBERS.tobytes()}))


@pytest.mark.parametrize("state", [{"keys": 1}, {"__setstate__": None}, (None, {"keys": 1}), (None, {"__class__": 1})])
def test_the_class_of_state_dicts_cannot_be_changed(state: Any) -> None:
    before = dict(vars(OrderedDict))

    with pytest.raises(ValueError):
        read(torch_file({"a": Changed(Global("collections", "OrderedDict"), state)}, {}))
    assert dict(vars(OrderedDict)) == before


def test_a_state_dict_has_its_metadata() -> None:
    """As `Module.state_dict` leaves it: an attribute of the OrderedDict."""
    state = Changed(Global("collections", "OrderedDict")((("a", tensor()),)), {"_metadata": {}})

    assert read(torch_file(state, {"0": NUMBERS.tobytes()}))["a"].tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize("wrong", [{"offset": -1}, {"strides": (-3, 6)}, {"shape": (-2, 3)}, {"strides": (3.0, 1)}])
def test_where_a_tensor_lies_is_checked_again_as_it_is_read(
    wrong: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    rebuilt = replace(Tensor(Storage("<f4", "0", 6), 0, (2, 3), (3, 1), negated=False), **wrong)
    monkeypatch.setattr(torch_file_module, "find_state", lambda _held: TorchState({"a": rebuilt}, ()))

    with pytest.raises(ValueError, match="no storage, offset, shape and strides"):
        read(torch_file({}, {"0": NUMBERS.tobytes()}))


class CallsSystem:
    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.canary}",)


NAMES = [
    ("os", "system"), ("posix", "system"), ("builtins", "eval"), ("builtins", "getattr"), ("subprocess", "Popen"),
    ("torch", "load"), ("torch.storage", "_load_from_bytes"), ("collections", "defaultdict"), ("pickle", "loads"),
    ("torch._utils", "_rebuild_tensor_v2.__globals__"), ("collections", "OrderedDict.fromkeys"),
]  # fmt: skip


@pytest.mark.parametrize(("module", "name"), NAMES)
@pytest.mark.parametrize("nested", [False, True])
def test_a_pickle_that_names_anything_else_is_refused_and_calls_nothing(
    module: str, name: str, nested: bool, tmp_path: Path
) -> None:
    call = Global(module, name)(f"touch {tmp_path}/canary")

    with pytest.raises(ValueError, match=f"asks for {module}.{name}"):
        read(torch_file({"a": call} if nested else call, {"0": NUMBERS.tobytes()}))
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_that_calls_os_system_is_refused_and_calls_nothing(protocol: int, tmp_path: Path) -> None:
    evil = pickle.dumps({"a": CallsSystem(tmp_path / "canary")}, protocol)

    with pytest.raises(ValueError):
        read(torch_file(evil, {"0": NUMBERS.tobytes()}))
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"", b".", b"\x80\x02", b"garbage", b"\x80\x02r\xff\xff\xff\x7f.", b"\x80\x02}r\xff\xff\xff\x7f.",
        b"\x80\x02X\xff\xff\xff\x7fab.", b"\x80\x02h\x05.", b"\x80\x02((((.", b"\x80\x02}}}s.", b"\x80\x02ctorch\n.",
    ],
)  # fmt: skip
def test_a_damaged_pickle_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError):
        read(torch_file(content, {}))


def test_no_damage_to_a_pickle_raises_anything_else() -> None:
    whole = pickled({"a": tensor(), "b": tensor(offset=3, shape=(3,), strides=(1,))})
    for position in range(len(whole)):
        for flipped in (1, 0x80, 0xFF):
            damaged = whole[:position] + bytes([whole[position] ^ flipped]) + whole[position + 1 :]
            try:
                read(torch_file(damaged, {"0": NUMBERS.tobytes()}))
            except (ValueError, MemoryError):
                pass


def test_an_archive_with_a_member_that_leads_out_of_it_is_refused() -> None:
    with pytest.raises(ValueError):
        read(archive({"net/data.pkl": pickled({}), "net/../../evil": b""}))
