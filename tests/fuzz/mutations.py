"""Sound files of all four formats, and mutations of them that the same seed makes again."""

from __future__ import annotations

import random
from pathlib import Path
from tempfile import TemporaryDirectory

from safetensors.numpy import save

from tests.support.archives import tensor, torch_file
from workers.runtime.models import build_model, save_weights
from workers.settings import ROOT

SUM_CONFIG = (ROOT / "data" / "sum_network.json").read_text(encoding="utf-8")
#: Numbers that lie well where a file says how long or how many.
LIES = [0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 2**40, 2**63 - 1, 2**64 - 1]


def sound_files() -> dict[str, list[bytes]]:
    """Files of the sum network, by format."""
    model = build_model(SUM_CONFIG)
    with TemporaryDirectory() as folder:
        model.save(Path(folder) / "sum.keras")
        archive = (Path(folder) / "sum.keras").read_bytes()
    arrays = {variable.path: variable.numpy() for variable in model.weights}
    by_hand = torch_file({"a": tensor()}, {"0": bytes(24)})
    data = ROOT / "tests" / "data"
    paths = [*data.glob("*.pt"), *(data / "torch_2_14").glob("before_1_6_*.pt"), data / "torch_2_14" / "checkpoint.pt"]
    torch = [path.read_bytes() for path in sorted(paths)]
    return {
        "hdf5": [save_weights(model)],
        "keras": [archive],
        "safetensors": [save(arrays)],
        "torch": [*torch, by_hand],
    }


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


MUTATIONS = [flip_bits, flip_bits_in_front, truncate, cut_out, repeat, lie]


def mutate(files: dict[str, list[bytes]], seed: int) -> tuple[str, str, bytes]:
    """The format, the kind of mutation, and the mutated file that belong to a seed."""
    chance = random.Random(seed)
    kind = chance.choice(sorted(files))
    content = bytearray(chance.choice(files[kind]))
    if chance.random() < 1 / (len(MUTATIONS) + 1):
        other = chance.choice(files[chance.choice(sorted(files))])
        length = chance.randint(8, 512)
        return kind, "splice", other[:length] + bytes(content[length:])
    mutation = chance.choice(MUTATIONS)
    mutation(content, chance)
    return kind, mutation.__name__, bytes(content)
