"""Reads the architecture out of a `.keras` archive: its config, with each vocabulary that stands in a file beside it.

Keras keeps what a layer has adapted to among the archive's assets. Put into the config, where Keras takes it as well, a
vocabulary belongs to the architecture: to its digest, and to bare weights that come later. Stdlib only, as the gateway
uses it.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from typing import IO, Any

from workers.runtime.file_format import (
    KERAS_CONFIG,
    KERAS_METADATA,
    MAX_ARCHITECTURE_BYTES,
    MAX_FILLED_BYTES,
    MAX_METADATA_BYTES,
    open_archive,
    read_chunks,
    refuse_strange_members,
)

VOCABULARY = "vocabulary.txt"
#: The largest vocabularies of an archive, in bytes, all of them together.
MAX_VOCABULARIES_BYTES = 16 * 1024 * 1024
#: The folder of a layer with a vocabulary, among those of its class; and where in it the vocabulary is that counts:
#: Keras writes TextVectorization's twice, and of the two reads this one last.
_LOOKUPS = {
    "TextVectorization": ("text_vectorization", "/_lookup_layer"),
    "StringLookup": ("string_lookup", ""),
    "IntegerLookup": ("integer_lookup", ""),
}
_MODELS = {"Functional": "functional", "Sequential": "sequential", "Model": "model"}


def read_architecture(upload: bytes | IO[bytes]) -> str:
    """The Keras JSON config in a `.keras` archive, with the vocabularies that the archive has in files.

    Keras 2's has its version, too, as its `model.to_json()` says it.

    Raises:
        ValueError: the archive is damaged, or holds what no archive that Keras writes does.
    """
    file = io.BytesIO(upload) if isinstance(upload, bytes) else upload
    with open_archive(file) as archive:
        refuse_strange_members(archive)
        config = _read_text(archive, KERAS_CONFIG, MAX_ARCHITECTURE_BYTES)
        version = _keras_version(archive)
        if version.startswith("2."):
            config = json.dumps(_json_object(config, KERAS_CONFIG) | {"keras_version": version})
        if not any(name.endswith(f"/{VOCABULARY}") for name in archive.namelist()):
            return config
        return _Filling(archive).fill(config)


def _keras_version(archive: zipfile.ZipFile) -> str:
    """The version of Keras that wrote the archive; empty when it does not say."""
    if KERAS_METADATA not in archive.namelist():
        return ""
    metadata = _read_text(archive, KERAS_METADATA, MAX_METADATA_BYTES)
    return str(_json_object(metadata, KERAS_METADATA).get("keras_version", ""))


def _json_object(text: str, name: str) -> dict[str, Any]:
    try:
        described = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name} in the archive is no JSON: {error}") from error
    if not isinstance(described, dict):
        raise ValueError(f"{name} in the archive is no JSON object")
    return described


def _read_text(archive: zipfile.ZipFile, name: str, max_bytes: int) -> str:
    content = b"".join(read_chunks(archive, name, max_bytes))
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} in the archive is no UTF-8 text") from error


class _Filling:
    """Puts an archive's vocabularies into its config, as Keras finds them: by the layers' classes, in their order."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._bytes_left = MAX_VOCABULARIES_BYTES

    def fill(self, config: str) -> str:
        """The config with them.

        Raises:
            ValueError: it is no config, or a layer's vocabulary is not there, too large or none.
        """
        try:
            described = json.loads(config)
            self._fill_model(described, "assets/layers")
        except RecursionError as error:
            raise ValueError(f"{KERAS_CONFIG} in the archive is nested too deep") from error
        filled = json.dumps(described, ensure_ascii=False)
        if len(filled.encode()) > MAX_FILLED_BYTES:
            raise ValueError(f"the architecture and its vocabularies take more than {MAX_FILLED_BYTES} bytes")
        return filled

    def _fill_model(self, described: Any, path: str) -> None:
        used: Counter[str] = Counter()
        for layer in _layers_of(described):
            name, config = layer.get("class_name"), layer.get("config")
            if not isinstance(name, str) or not isinstance(config, dict):
                continue
            folder, within = _LOOKUPS.get(name, (_MODELS.get(name, ""), ""))
            own = f"{path}/{folder}_{used[folder]}" if used[folder] else f"{path}/{folder}"
            used[folder] += 1
            if name in _MODELS:
                self._fill_model(layer, f"{own}/layers")
            elif name in _LOOKUPS and config.get("vocabulary") is None:
                words = self._read_words(f"{own}{within}/{VOCABULARY}", config.get("vocabulary_size"))
                config["vocabulary"] = _to_numbers(words) if name == "IntegerLookup" else words

    def _read_words(self, name: str, count: Any) -> list[str]:
        text = _read_text(self._archive, name, self._bytes_left)
        self._bytes_left -= len(text.encode())
        # Keras writes a line a word, in the line ends of its system; what else Python ends lines at may be in a word.
        ends = "\r\n" if text.count("\r\n") == text.count("\n") else "\n"
        lines = text.split(ends)
        # A file may end in empty lines, and a vocabulary in the empty text: the config says how many words there are.
        while lines and not lines[-1] and len(lines) != count:
            lines.pop()
        if not lines:
            raise ValueError(f"{name} in the archive is empty: adapt the layer before the model is saved")
        return lines


def _to_numbers(words: list[str]) -> list[int]:
    try:
        return [int(word) for word in words]
    except ValueError as error:
        raise ValueError("the archive has an IntegerLookup whose vocabulary holds what is no whole number") from error


def _layers_of(described: Any) -> list[dict[str, Any]]:
    config = described.get("config") if isinstance(described, dict) else None
    layers = config.get("layers") if isinstance(config, dict) else None
    return [layer for layer in layers if isinstance(layer, dict)] if isinstance(layers, list) else []
