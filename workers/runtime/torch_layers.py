"""Which layer of a PyTorch `state_dict` is which of a chain of Dense layers: it names layers, and tells no order.

A file of `torch.save` has them in the order in which they were declared, safetensors by their names as text, and
neither need be the order in which they are used. What counts is numbers in names, and shapes; what both leave open is
refused, since two layers of one shape in the wrong order would answer wrongly and tell nobody.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

#: So many layers are put somewhere in search of an order; a chain whose layers all differ needs one step for each.
STEPS_MAX = 10_000
_NUMBER = re.compile(r"\d{1,9}")


@dataclass(frozen=True)
class Layer:
    """A Dense layer by its name: rows that it takes and gives, and whether it has a bias."""

    name: str
    shape: tuple[int, ...]
    bias: bool

    def fits(self, other: Layer) -> bool:
        """Whether one can stand for the other."""
        return self.shape == other.shape and self.bias == other.bias


def in_order_of_use(layers: Sequence[Layer], chain: Sequence[Layer]) -> list[Layer]:
    """The file's layers as the architecture's `chain` has them; as they are when they fit it in no order.

    Layers whose names differ by numbers only come in the order of these: `layers.2` before `layers.10`.

    Raises:
        ValueError: there are several orders; the message names two layers that could be swapped.
    """
    if len(layers) != len(chain):
        return list(layers)
    found = _orders(layers, chain)
    one, other = next(found, None), next(found, None)
    if one is not None and other is not None:
        first, second = next((a, b) for a, b in zip(one, other, strict=True) if a != b)
        raise ValueError(
            f"{first.name} and {second.name} have one shape, and nothing tells which of them is used first: a "
            "state_dict has names, no order. Number the layers' names in the order in which they are used, as "
            "torch.nn.Sequential does (0.weight, 2.weight)"
        )
    return list(layers) if one is None else one


def _orders(layers: Sequence[Layer], chain: Sequence[Layer]) -> Iterator[list[Layer]]:
    """The orders in which the layers fit the chain, each group of numbered ones by its numbers."""
    by_name: dict[str, list[Layer]] = {}
    for layer in layers:
        by_name.setdefault(_NUMBER.sub("#", layer.name), []).append(layer)
    groups = [deque(sorted(group, key=_numbers)) for group in by_name.values()]

    def fitting(place: int) -> list[int]:
        """The groups whose next layer fits there."""
        return [number for number, group in enumerate(groups) if group and group[0].fits(chain[place])]

    taken: list[tuple[int, Layer]] = []
    ways, steps = [fitting(0)], 0
    while ways:
        if len(taken) < len(chain) and ways[-1]:
            number = ways[-1].pop(0)
            taken.append((number, groups[number].popleft()))
            ways.append(fitting(len(taken)) if len(taken) < len(chain) else [])
            steps += 1
            if steps > STEPS_MAX:
                raise ValueError("the file's layers fit the architecture's in too many ways: number their names")
            continue
        if len(taken) == len(chain):
            yield [layer for _, layer in taken]
        ways.pop()
        if taken:
            number, layer = taken.pop()
            groups[number].appendleft(layer)


def _numbers(layer: Layer) -> list[int]:
    return [int(number) for number in _NUMBER.findall(layer.name)]
