"""Sound files of all formats, and mutations of them that the same seed makes again."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile, is_zipfile

from safetensors.numpy import save

from tests.support.archives import archive as pack
from tests.support.archives import tensor, torch_file
from tests.support.keras_kinds import file_of, quantized
from workers.runtime.backend import keras
from workers.runtime.models import build_model, save_weights
from workers.settings import ROOT

DATA = ROOT / "tests" / "data"
SUM_CONFIG = (ROOT / "data" / "sum_network.json").read_text(encoding="utf-8")
#: Numbers that lie well where a file says how long or how many.
LIES = [0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 2**40, 2**63 - 1, 2**64 - 1]
#: What a value of an architecture may be changed to.
ODD_VALUES = [
    None,
    True,
    -1,
    0,
    1,
    2,
    0.5,
    10**9,
    2**63,
    1e308,
    "",
    "x",
    "relu",
    "Dense",
    [],
    [None],
    [1, 1],
    {},
    {"a": 1},
]


@dataclass(frozen=True)
class SoundFile:
    """A file that is served; without an `architecture` it brings its own."""

    content: bytes
    architecture: str | None = None


def sound_files() -> dict[str, list[SoundFile]]:
    """Files by format: of the sum network, whole models, and those that read words or are quantized."""
    model = build_model(SUM_CONFIG)
    arrays = {variable.path: variable.numpy() for variable in model.weights}
    by_hand = torch_file({"a": tensor()}, {"0": bytes(24)})
    torch_2_14 = DATA / "torch_2_14"
    torch = [path.read_bytes() for path in sorted([*DATA.glob("*.pt"), torch_2_14 / "checkpoint.pt"])]
    before_1_6 = [path.read_bytes() for path in sorted(torch_2_14.glob("before_1_6_*.pt"))]
    chain = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4), keras.layers.Dense(2)])
    return {
        "hdf5": _of_sum([save_weights(model)]),
        "keras": [SoundFile(file_of(chain)), SoundFile(file_of(model))],
        "safetensors": _of_sum([save(arrays)]),
        "torch": _of_sum([*torch, by_hand]),
        "torch < 1.6": _of_sum(before_1_6),
        "whole h5": [*_kept("keras_2_15", "nested.h5", "gru.h5"), *_kept("keras_3_15", "deferred.h5")],
        "tf_keras": _kept("tf_keras_2_16", "deferred.keras", "normalization.keras", "one_model_many_times.keras"),
        "words": [SoundFile(path.read_bytes()) for path in sorted(DATA.glob("words_*.keras"))],
        "quantized": [SoundFile(file_of(quantized(mode))) for mode in ("int8", "int4", "float8")],
    }


def _of_sum(contents: list[bytes]) -> list[SoundFile]:
    return [SoundFile(content, SUM_CONFIG) for content in contents]


def _kept(writer: str, *names: str) -> list[SoundFile]:
    with ZipFile(DATA / "saved_by_keras" / f"{writer}.zip") as files:
        return [SoundFile(files.read(name)) for name in names]


def flip_bits(content: bytearray, chance: random.Random) -> None:
    """Flip one to sixteen bits."""
    for _ in range(chance.randint(1, 16)):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)


def flip_bits_in_front(content: bytearray, chance: random.Random) -> None:
    """Flip bits of the first bytes, where headers are."""
    for _ in range(chance.randint(1, 8)):
        content[chance.randrange(min(len(content), 512))] ^= 1 << chance.randrange(8)


def truncate(content: bytearray, chance: random.Random) -> None:
    """Cut the end off."""
    del content[chance.randrange(len(content)) :]


def cut_out(content: bytearray, chance: random.Random) -> None:
    """Cut a piece out, so that all behind it stands elsewhere."""
    start = chance.randrange(len(content))
    del content[start : start + chance.randint(1, 64)]


def repeat(content: bytearray, chance: random.Random) -> None:
    """Insert a piece of the file itself somewhere."""
    start = chance.randrange(len(content))
    piece = content[start : start + chance.randint(1, 256)]
    place = chance.randrange(len(content))
    content[place:place] = piece


def lie(content: bytearray, chance: random.Random) -> None:
    """Write a telling number somewhere."""
    width = chance.choice([1, 2, 4, 8])
    number = (chance.choice(LIES) % (1 << 8 * width)).to_bytes(width, chance.choice(["little", "big"]))  # type: ignore[arg-type]
    place = chance.randrange(len(content))
    content[place : place + width] = number


def change_a_value(content: bytes, chance: random.Random) -> bytes:
    """Put another value, or one from elsewhere, at some place of a JSON text."""
    described = json.loads(content)
    places: list[tuple[Any, Any]] = []
    todo = [described]
    while todo:
        found = todo.pop()
        inner = list(found.items() if isinstance(found, dict) else enumerate(found))
        places += [(found, key) for key, _ in inner]
        todo += [each for _, each in inner if isinstance(each, dict | list)]
    (target, key), (source, other) = chance.choice(places), chance.choice(places)
    # As text, so that nothing comes to hold itself.
    target[key] = json.loads(json.dumps(source[other])) if chance.random() < 0.5 else chance.choice(ODD_VALUES)
    return json.dumps(described).encode()


MUTATIONS = [flip_bits, flip_bits_in_front, truncate, cut_out, repeat, lie]


def mutate(files: dict[str, list[SoundFile]], seed: int) -> tuple[str, str, SoundFile]:
    """The format, the kind of mutation, and the mutated file that belong to a seed.

    In a zip archive a check sum finds out most that changes, so in half of these a member is changed, and sealed anew.
    """
    chance = random.Random(seed)
    kind = chance.choice(sorted(files))
    sound = chance.choice(files[kind])
    if is_zipfile(BytesIO(sound.content)) and chance.random() < 0.5:
        with ZipFile(BytesIO(sound.content)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        name = chance.choice(sorted(name for name, content in members.items() if content))
        if name == "config.json" and chance.random() < 0.8:
            return (
                kind,
                "change_a_value",
                replace(sound, content=pack(members | {name: change_a_value(members[name], chance)})),
            )
        mutation, members[name] = _mutate(members[name], files, chance)
        return kind, f"{mutation} in {Path(name).name}", replace(sound, content=pack(members))
    mutation, content = _mutate(sound.content, files, chance)
    return kind, mutation, replace(sound, content=content)


def _mutate(sound: bytes, files: dict[str, list[SoundFile]], chance: random.Random) -> tuple[str, bytes]:
    content = bytearray(sound)
    if chance.random() < 1 / (len(MUTATIONS) + 1):
        other = chance.choice(files[chance.choice(sorted(files))]).content
        length = chance.randint(8, 512)
        return "splice", other[:length] + bytes(content[length:])
    mutation = chance.choice(MUTATIONS)
    mutation(content, chance)
    return mutation.__name__, bytes(content)
