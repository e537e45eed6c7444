"""The helper process that reads uploaded weights: HDF5 can crash the process that reads a malformed file.

It makes of any format one of two things that are safe to load: an HDF5 file of plain arrays for Keras, or the bare
numbers of the variables, one after the other. It speaks JSON lines on standard input and output, and ends when its
input does.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any

import h5py
import numpy as np
from safetensors import safe_open

from workers.messages.message import shorten
from workers.runtime.clean_hdf5 import clean
from workers.runtime.file_format import KERAS_WEIGHTS, open_archive, read_chunks, refuse_strange_members, tell_format
from workers.runtime.foreign_format import tell_foreign
from workers.runtime.legacy_weights import find_legacy, is_legacy
from workers.runtime.stored_tensors import ORDER_IS_FOR_TORCH, Found, StoredTensor, StoredTensors, arrange, choose
from workers.runtime.torch_file import open_torch_file
from workers.runtime.torch_layers import shown
from workers.runtime.wanted_weights import WantedWeights
from workers.runtime.written_weights import WrittenWeights

#: Address space of the helper in bytes, beside a few times what the architecture's weights take: a file that needs
#: more is refused, not swapped for.
ADDRESS_SPACE_BYTES = 2 * 1024**3
ADDRESS_SPACE_FACTOR = 4
#: An archive's weights may come with the state of their training, about twice as much again, and HDF5's own structure.
TRAINED_FACTOR = 4
STRUCTURE_BYTES = 64 * 1024**2
_SAFETENSORS_DTYPES = {"F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8", "BOOL"}


@contextmanager
def open_safetensors(path: Path) -> Iterator[StoredTensors]:
    """The tensors of a safetensors file by their names; its header is checked by the format's own library.

    Raises:
        ValueError: a tensor is of a dtype that no network here has.
        safetensors.SafetensorError: the file is damaged.
    """
    with safe_open(path, "numpy") as file:
        tensors = {}
        for name in file.keys():  # noqa: SIM118 - it is no dict
            described = file.get_slice(name)
            if described.get_dtype() not in _SAFETENSORS_DTYPES:
                raise ValueError(f"{name} holds {described.get_dtype()}, which no network here has")
            tensors[name] = StoredTensor(tuple(described.get_shape()), partial(file.get_tensor, name))
        yield StoredTensors(tensors)


def read_weights(source: Path, target: Path, wanted: WantedWeights) -> WrittenWeights:
    """Read the file `source`, and write what is to be loaded to `target`.

    Raises:
        ValueError, OSError, SafetensorError: the file is damaged or not this architecture's.
    """
    with source.open("rb") as file:
        kind = tell_format(file)
        if wanted.order and kind not in ("torch", "safetensors"):
            raise ValueError(ORDER_IS_FOR_TORCH)
        if kind == "hdf5":
            return WrittenWeights(_read_hdf5(source, target, wanted))
        if kind == "keras":
            return WrittenWeights(_clean_archive(file, target, wanted))
        if kind == "torch":
            with open_torch_file(file, wanted.max_bytes) as tensors:
                return _write_tensors(tensors, target, wanted)
        if kind == "safetensors":
            with open_safetensors(source) as tensors:
                return _write_tensors(tensors, target, wanted)
        if told := tell_foreign(file):
            raise ValueError(f"the file is {told}")
    raise ValueError("the file is neither .keras, .h5, .weights.h5, safetensors nor one of torch.save")


def _read_hdf5(source: Path, target: Path, wanted: WantedWeights) -> str:
    with h5py.File(source, "r") as file:
        if is_legacy(file):
            _write(find_legacy(file, wanted), target, wanted)
            return "tensors"
    return clean(source, target, wanted.max_bytes, wanted.saved_dtypes, wanted.saved)


def _clean_archive(file: IO[bytes], target: Path, wanted: WantedWeights) -> str:
    unpacked = target.with_name("unpacked.weights.h5")
    max_bytes = wanted.max_bytes * TRAINED_FACTOR + STRUCTURE_BYTES
    with open_archive(file) as archive, unpacked.open("wb") as writer:
        refuse_strange_members(archive)
        for chunk in read_chunks(archive, KERAS_WEIGHTS, max_bytes):
            writer.write(chunk)
    layout = _read_hdf5(unpacked, target, wanted)
    unpacked.unlink()
    return layout


def _write_tensors(tensors: StoredTensors, target: Path, wanted: WantedWeights) -> WrittenWeights:
    choice = choose(tensors, wanted)
    _write(choice.found, target, wanted)
    return WrittenWeights("tensors", choice.orders, shown(choice.ignored))


def _write(found: Found, target: Path, wanted: WantedWeights) -> None:
    """Write the numbers of each variable, one after the other.

    Raises:
        ValueError: an array has another shape than its variable, or another kind of numbers.
    """
    with target.open("wb") as writer:
        for array in arrange(found, wanted):
            # As bytes: Python's buffers know no bfloat16.
            writer.write(array.reshape(-1).view(np.uint8).data)


def answer(line: str) -> dict[str, Any]:
    """What the helper says to one request: what it wrote, or what was wrong with the file."""
    try:
        request: dict[str, Any] = json.loads(line)
        # The worker ends a helper that is late; this ends it also when the worker has died meanwhile.
        signal.setitimer(signal.ITIMER_REAL, float(request["seconds"]) + 1)
        wanted = WantedWeights.from_json(request["wanted"])
        _limit(resource.RLIMIT_AS, ADDRESS_SPACE_BYTES + wanted.max_bytes * ADDRESS_SPACE_FACTOR)
        _limit(resource.RLIMIT_FSIZE, STRUCTURE_BYTES + wanted.max_bytes * TRAINED_FACTOR)
        written = read_weights(Path(request["source"]), Path(request["target"]), wanted)
    except Exception as error:  # noqa: BLE001 - whatever a library raises is the answer; the worker reports it
        return {"error": shorten(f"{type(error).__name__}: {error}"), "trace": shorten(traceback.format_exc())}
    else:
        return written.to_json()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _limit(what: int, limit: int) -> None:
    """Limit what this process may take from here on."""
    resource.setrlimit(what, (limit, resource.getrlimit(what)[1]))


def main() -> None:
    """Answer one line for each line, until the worker closes the pipe."""
    _limit(resource.RLIMIT_CORE, 0)
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(line)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
