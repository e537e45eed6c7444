"""What is copied from an uploaded file, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from workers.runtime import clean_hdf5
from workers.runtime.clean_hdf5 import MAX_ATTRIBUTE_CHARACTERS, MAX_DEPTH, clean

#: What every HDF5 file begins with.
SIGNATURE = b"\x89HDF\r\n\x1a\n"
ARRAY = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "uploaded"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "cleaned.weights.h5"


def clean_it(
    source: Path, target: Path, arrays: int = 1, max_bytes: int = 1000, dtypes: Sequence[str] = ("float32",)
) -> None:
    clean(source, target, max_bytes, [*dtypes] * arrays)


def test_arrays_groups_and_short_texts_are_copied(source: Path, target: Path) -> None:
    with h5py.File(source, "w") as file:
        file.attrs["name"] = "sum"
        group = file.create_group("layers/dense/vars")
        group["0"] = ARRAY
        group["0"].attrs["name"] = "kernel"
        group["1"] = np.arange(2)
        file.create_group("empty")

    clean_it(source, target, dtypes=["float32", "int64"])

    with h5py.File(target) as file:
        assert np.array_equal(file["layers/dense/vars/0"], ARRAY)
        assert file["layers/dense/vars/0"].dtype == np.float32
        assert file["layers/dense/vars/1"][()].tolist() == [0, 1]
        assert (file.attrs["name"], file["layers/dense/vars/0"].attrs["name"]) == ("sum", "kernel")
        assert list(file) == ["empty", "layers"]


@pytest.mark.parametrize("dtype", ["float16", "float64", "int8", "uint64", "bool"])
def test_numbers_of_every_width_are_numbers(dtype: str, source: Path, target: Path) -> None:
    with h5py.File(source, "w") as file:
        file["0"] = np.ones(3, dtype)

    clean_it(source, target, dtypes=[dtype])

    with h5py.File(target) as file:
        assert file["0"].dtype == dtype


def test_other_attributes_than_short_texts_are_left_behind(source: Path, target: Path) -> None:
    with h5py.File(source, "w") as file:
        file["0"] = ARRAY
        file.attrs["long"] = "x" * (MAX_ATTRIBUTE_CHARACTERS + 1)
        file.attrs["numbers"] = np.arange(1000)
        file["0"].attrs["bytes"] = np.void(b"\x00" * 100)

    clean_it(source, target)

    with h5py.File(target) as file:
        assert not list(file.attrs)
        assert not list(file["0"].attrs)


def test_the_state_of_a_training_is_left_behind_and_not_counted(source: Path, target: Path) -> None:
    with h5py.File(source, "w") as file:
        file["layers/0"] = ARRAY
        for name in ("iteration", "learning_rate", "momentum"):
            file[f"optimizer/vars/{name}"] = np.zeros(1000)
        file["metrics/mean/vars/0"] = np.zeros(1000)
        file["layers/optimizer"] = ARRAY

    clean_it(source, target, arrays=2)

    with h5py.File(target) as file:
        assert (list(file), list(file["layers"])) == (["layers"], ["0", "optimizer"])


def test_a_link_in_the_place_of_the_training_state_is_refused(source: Path, target: Path) -> None:
    write(source, one=ARRAY, optimizer=h5py.SoftLink("/one"))

    with pytest.raises(ValueError, match="is a link"):
        clean_it(source, target)


def test_compressed_arrays_come_out_plain(source: Path, target: Path) -> None:
    with h5py.File(source, "w") as file:
        file.create_dataset("0", data=ARRAY, chunks=(1, 3), compression="gzip", shuffle=True)

    clean_it(source, target)

    with h5py.File(target) as file:
        assert np.array_equal(file["0"], ARRAY)
        assert (file["0"].compression, file["0"].chunks) == (None, None)


def write(source: Path, **members: Any) -> None:
    with h5py.File(source, "w") as file:
        for name, member in members.items():
            file[name] = member


@pytest.mark.parametrize(
    "content", [b"", b"not HDF5 at all", b"\x89HDF\r\n\x1a\n", b"\x89HDF\r\n\x1a\n" + b"\x00" * 5000]
)
def test_a_file_that_is_no_hdf5_is_refused(content: bytes, source: Path, target: Path) -> None:
    source.write_bytes(content)

    with pytest.raises(OSError, match="Unable to"):
        clean_it(source, target)


@pytest.mark.parametrize("kept", [0.25, 0.5, 0.9])
def test_a_truncated_file_is_refused(kept: float, source: Path, target: Path) -> None:
    write(source, one=np.zeros(500))
    content = source.read_bytes()
    source.write_bytes(content[: int(len(content) * kept)])

    with pytest.raises(OSError, match="truncated"):
        clean_it(source, target)


def test_a_link_to_another_file_is_refused(source: Path, target: Path, tmp_path: Path) -> None:
    write(tmp_path / "secret.h5", one=ARRAY)
    write(source, one=h5py.ExternalLink(str(tmp_path / "secret.h5"), "/one"))

    with pytest.raises(ValueError, match="/one is a link to somewhere else"):
        clean_it(source, target)


def test_a_link_within_the_file_is_refused(source: Path, target: Path) -> None:
    write(source, one=ARRAY, two=h5py.SoftLink("/one"))

    with pytest.raises(ValueError, match="/two is a link to somewhere else"):
        clean_it(source, target, arrays=2)


def test_a_group_that_holds_itself_is_refused(source: Path, target: Path) -> None:
    with h5py.File(source, "w") as file:
        group = file.create_group("group")
        group["itself"] = group

    with pytest.raises(ValueError, match="nested more than"):
        clean_it(source, target)


def test_an_array_whose_numbers_are_in_another_file_is_refused(source: Path, target: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"\x00" * 24)
    with h5py.File(source, "w") as file:
        file.create_dataset("one", (2, 3), np.float32, external=[(str(tmp_path / "secret"), 0, 24)])

    with pytest.raises(ValueError, match="keeps its numbers in another file"):
        clean_it(source, target)


def test_a_virtual_array_is_refused(source: Path, target: Path, tmp_path: Path) -> None:
    write(tmp_path / "secret.h5", one=ARRAY)
    layout = h5py.VirtualLayout(ARRAY.shape, ARRAY.dtype)
    layout[:] = h5py.VirtualSource(str(tmp_path / "secret.h5"), "one", ARRAY.shape)
    with h5py.File(source, "w") as file:
        file.create_virtual_dataset("one", layout)

    with pytest.raises(ValueError, match="keeps its numbers in another file"):
        clean_it(source, target)


@pytest.mark.parametrize(
    "member",
    [
        "text",
        np.array([b"text"]),
        np.array(["a", "b"], h5py.string_dtype()),
        np.array([1j]),
        np.zeros(2, [("a", "f4"), ("b", "f4")]),
        np.dtype("f4"),
    ],
    ids=["text", "bytes", "texts", "complex", "records", "named type"],
)
def test_what_is_no_array_of_numbers_is_refused(member: Any, source: Path, target: Path) -> None:
    write(source, one=member)

    with pytest.raises(ValueError, match="/one is no array of numbers"):
        clean_it(source, target)


def test_more_arrays_than_the_architecture_has_are_refused(source: Path, target: Path) -> None:
    write(source, one=ARRAY, two=ARRAY)

    with pytest.raises(ValueError, match="more than the architecture's weights"):
        clean_it(source, target, arrays=1)


def test_fewer_arrays_than_the_architecture_has_are_refused(source: Path, target: Path) -> None:
    write(source, one=ARRAY)

    with pytest.raises(ValueError, match="holds 1 arrays, the architecture has 2"):
        clean_it(source, target, arrays=2)


def test_more_bytes_than_the_architecture_has_are_refused(source: Path, target: Path) -> None:
    write(source, one=ARRAY)

    with pytest.raises(ValueError, match="more than the architecture's weights"):
        clean_it(source, target, max_bytes=ARRAY.nbytes - 1)


def test_an_array_that_is_large_only_when_it_is_read_is_refused_before(source: Path, target: Path) -> None:
    with h5py.File(source, "w") as file:
        file.create_dataset("one", (1 << 40,), np.float32, chunks=(1 << 20,), compression="gzip")
    assert source.stat().st_size < 10_000

    with pytest.raises(ValueError, match="more than the architecture's weights"):
        clean_it(source, target)


@pytest.mark.parametrize(("depth", "fits"), [(MAX_DEPTH, True), (MAX_DEPTH + 1, False)])
def test_groups_may_be_nested_so_deep_and_no_deeper(depth: int, fits: bool, source: Path, target: Path) -> None:
    write(source, **{"/".join("g" * depth) + "/one": ARRAY})

    if fits:
        clean_it(source, target)
    else:
        with pytest.raises(ValueError, match=f"nested more than {MAX_DEPTH} deep"):
            clean_it(source, target)


def test_a_tree_without_end_is_refused(source: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hard links make two members of a group the same group, so each level doubles what there is to visit."""
    monkeypatch.setattr(clean_hdf5, "MAX_MEMBERS", 1000)
    with h5py.File(source, "w") as file:
        group = file.create_group("0")
        for _ in range(30):
            below = group.create_group("a")
            group["b"] = below
            group = below

    with pytest.raises(ValueError, match="more than 1000 groups and arrays"):
        clean_it(source, target)


def test_a_chunk_that_is_larger_than_its_array_is_refused(source: Path, target: Path) -> None:
    """It would be unpacked whole: a megabyte of file into gigabytes of memory."""
    with h5py.File(source, "w") as file:
        file.create_dataset("0", (2,), np.float32, maxshape=(None,), chunks=(64 * 1024**2,), compression="gzip")

    with pytest.raises(ValueError, match="chunks that are larger than itself"):
        clean_it(source, target)


def test_a_large_attribute_is_not_read(source: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clean_hdf5, "MAX_ATTRIBUTE_BYTES", 100)
    with h5py.File(source, "w") as file:
        file["0"] = ARRAY
        file.attrs["numbers"] = np.arange(1000)
        file.attrs["name"] = "sum"

    clean_it(source, target)

    with h5py.File(target) as file:
        assert dict(file.attrs) == {"name": "sum"}


def test_whole_numbers_in_place_of_floating_point_weights_are_refused(source: Path, target: Path) -> None:
    write(source, one=np.arange(3))

    with pytest.raises(ValueError, match="holds 1 arrays of int64, the architecture has 0"):
        clean_it(source, target)


@pytest.mark.parametrize("dtype", ["float32", "int16", "uint8"])
def test_other_numbers_in_place_of_whole_ones_are_refused(dtype: str, source: Path, target: Path) -> None:
    write(source, one=np.ones(3, dtype), two=ARRAY)

    with pytest.raises(ValueError, match=rf"holds [01] arrays of (int8|{dtype}), the architecture has [01]"):
        clean_it(source, target, dtypes=["int8", "float32"])


@pytest.mark.parametrize(("value", "fits"), [(60000, True), (np.inf, True), (-70000, False)])
def test_floats_of_another_width_are_copied_where_the_networks_own_have_room(
    value: float, fits: bool, source: Path, target: Path
) -> None:
    """Keras casts what it loads, and would make infinity of the others."""
    write(source, one=np.array([value], np.float32), two=ARRAY)

    if fits:
        clean_it(source, target, dtypes=["float16", "float32"])
    else:
        with pytest.raises(ValueError, match="/one holds a number that is too large for float16"):
            clean_it(source, target, dtypes=["float16", "float32"])
