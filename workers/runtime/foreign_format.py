"""Calls files by their names that are none of the formats Pipeline reads, and says what to send instead.

Stdlib only, as `file_format`. What may be base64 text is left alone.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import IO

from workers.runtime.file_format import (
    KERAS_CONFIG,
    KERAS_WEIGHTS,
    MAX_SAFETENSORS_HEADER_BYTES,
    TORCH_PROGRAM,
    ZIP_SIGNATURE,
    open_archive,
)

#: So much of a file is looked at, beside an archive's list of members.
START_BYTES = 64 * 1024
#: A file of other bytes than these, within as many, is no base64 text.
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/= \t\r\n"
_TEXT_BYTES = 512
_FROM_KERAS = "save the network from Keras, by model.save('network.keras') or model.save_weights('network.weights.h5')"
_STATE = "save the weights by torch.save(model.state_dict(), 'network.pt')"
_UNPACK = "unpack it, and send the weights file that is in it"
_SAFETENSORS = "save the arrays by safetensors.numpy.save_file, named as the network's variables"
_WRONG_PAGE = "look at what the download really gave"
_WHOLE = "weights in several files: save them into one, by save_weights('network.weights.h5') without max_shard_size"
#: What files begin with, after so many bytes.
_BEGINNINGS = (
    (0, b"\x1f\x8b", f"a gzip file: {_UNPACK}"),
    (4, b"1AY&SY", f"a bzip2 file: {_UNPACK}"),
    (0, b"\xfd7zXZ\x00", f"an xz file: {_UNPACK}"),
    (0, b"\x28\xb5\x2f\xfd", f"a zstd file: {_UNPACK}"),
    (0, b"7z\xbc\xaf\x27\x1c", f"a 7z archive: {_UNPACK}"),
    (0, b"Rar!\x1a\x07", f"a rar archive: {_UNPACK}"),
    (257, b"ustar", f"a tar archive: {_UNPACK}"),
    (0, b"PK\x05\x06", "an empty zip archive: save the file again"),
    (0, b"\x93NUMPY", f"one numpy array (.npy): {_SAFETENSORS}"),
    (4, b"TFL3", f"a TensorFlow Lite network: {_FROM_KERAS}"),
    (0, b"GGUF\x03\x00", f"a GGUF file: {_FROM_KERAS}"),
    (0, b"MATLAB ", f"a MATLAB file: {_SAFETENSORS}"),
    (0, b"version https://git-lfs", "a pointer of Git LFS, not the file itself: get that by git lfs pull"),
    (0, b"\xff\xfe", "text in UTF-16: write the base64 as ASCII, or send the file as it is"),
    (0, b"data:", "a data URL: send what is behind its comma, or the file as it is"),
    (0, b"-----BEGIN", "base64 between two lines of dashes: leave these out, or send the file as it is"),
)
_PAGES = (b"<!doctype", b"<html", b"<?xml")
_WEIGHTS_SUFFIXES = (".h5", ".hdf5", ".keras", ".safetensors", ".pt", ".pth", ".b64")


def tell_foreign(upload: bytes | IO[bytes]) -> str | None:
    """What a file is that `tell_format` does not know, and what to send instead, as the end of "it is …".

    None when it has no name either, or may be base64 text.
    """
    file = io.BytesIO(upload) if isinstance(upload, bytes) else upload
    file.seek(0)
    start = file.read(START_BYTES)
    if not start[:_TEXT_BYTES].translate(None, _BASE64):
        return None
    for place, beginning, told in _BEGINNINGS:
        if start.startswith(beginning, place):
            return told
    if start.startswith(ZIP_SIGNATURE):
        return _tell_archive(file)
    return _tell_pickle(start) or _tell_text(start) or _tell_safetensors(start) or _tell_protobuf(file, start)


def _tell_archive(file: IO[bytes]) -> str:
    try:
        with open_archive(file) as archive:
            names = archive.namelist()
    except ValueError:
        return "a zip archive, as .keras and PyTorch's files are, that is cut off or damaged: send it again"
    base_names = {PurePosixPath(name).name for name in names}
    if KERAS_CONFIG in names or KERAS_WEIGHTS in names:
        lacking = KERAS_WEIGHTS if KERAS_CONFIG in names else KERAS_CONFIG
        return f"a .keras archive without its {lacking}: save it again, by model.save('network.keras')"
    if {KERAS_CONFIG, KERAS_WEIGHTS} <= base_names:
        return "a .keras archive that was packed again, with its folder: pack the files themselves, or save it again"
    if TORCH_PROGRAM in base_names:
        return f"a program of TorchScript: {_STATE}"
    if "saved_model.pb" in base_names:
        return f"a zip of TensorFlow's SavedModel: {_FROM_KERAS}"
    if names and all(name.endswith(".npy") for name in names):
        return f"a file of numpy arrays (.npz): {_SAFETENSORS}"
    if inside := [name for name in names if name.lower().endswith(_WEIGHTS_SUFFIXES)]:
        return f"a zip archive with {inside[0][:100]!a} in it: {_UNPACK}"
    return f"a zip archive, but neither .keras nor one of torch.save: {_FROM_KERAS}"


def _tell_pickle(start: bytes) -> str | None:
    if start[:1] != b"\x80" or start[1:2] not in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return None
    return f"a Python pickle, which is never read, since it may hold code: {_FROM_KERAS}"


def _tell_text(start: bytes) -> str | None:
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:16].lower().startswith(_PAGES):
        return f"a web page or XML: {_WRONG_PAGE}"
    if text[:1] not in (b"{", b"["):
        return None
    if b'"weight_map"' in text:
        return f"the list of {_WHOLE}"
    if b'"class_name"' in text:
        return f"JSON, as an architecture is that has no weights: {_FROM_KERAS}"
    return f"JSON: {_WRONG_PAGE}, or {_FROM_KERAS}"


def _tell_protobuf(file: IO[bytes], start: bytes) -> str | None:
    """ONNX and a SavedModel begin with the version of their format; then one has a graph (7), the other graphs (2)."""
    fields = list(_fields(file)) if start.startswith(b"\x08") else []
    if 7 in fields:
        return f"an ONNX network: {_FROM_KERAS}"
    return f"a part of TensorFlow's SavedModel: {_FROM_KERAS}" if set(fields) == {1, 2} else None


def _fields(file: IO[bytes]) -> Iterator[int]:
    """The numbers of the first fields of a message of protobuf, whose lengths the file bears out."""
    size, place = file.seek(0, io.SEEK_END), 0
    for _ in range(32):
        file.seek(place)
        head = file.read(20)
        if not head:
            return
        field, kind = head[0] >> 3, head[0] & 7
        value, length = _varint(head[1:])
        place += 1 + length + (value if kind == 2 else 0)
        if kind not in (0, 2) or place > size:
            return
        yield field


def _varint(content: bytes) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and in how many bytes it is."""
    value = 0
    for place, byte in enumerate(content):
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, place + 1
    return value, len(content)


def _tell_safetensors(start: bytes) -> str | None:
    """Were all of its header there, it would be one."""
    if start[8:10] != b'{"' or int.from_bytes(start[:8], "little") > MAX_SAFETENSORS_HEADER_BYTES:
        return None
    return "a safetensors file that is cut off: send it again"
