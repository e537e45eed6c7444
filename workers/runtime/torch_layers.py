"""Which layer of a PyTorch `state_dict` is which of a chain of Dense layers: it names layers, and tells no order.

A file of `torch.save` has them in the order in which they were declared, safetensors by their names as text, and
neither need be the order in which they are used. What counts is numbers in names, and shapes; what both leave open is
refused, since two layers of one shape in the wrong order would answer wrongly and tell nobody.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

#: So many layers are put somewhere in search of an order; a chain whose layers all differ needs one step for each.
STEPS_MAX = 10_000
#: So many orders are tried at most, when examples are to tell which of them is right.
ORDERS_MAX = 24
SHOWN_CHARACTERS = 300
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


def orders_of_use(layers: Sequence[Layer], chain: Sequence[Layer], order: Sequence[str]) -> list[list[Layer]]:
    """The orders in which the file's layers fit the architecture's `chain`, or as they are when they fit it in none.

    Layers whose names differ by numbers only come in the order of these: `layers.2` before `layers.10`; unless none
    such fits. With `order`, the layers' names, there is that one.

    Raises:
        ValueError: `order` does not name the layers, each once; or there are more orders than are looked at.
    """
    if order:
        return [_as_named(layers, order)]
    if len(layers) != len(chain):
        return [list(layers)]
    groups = _by_numbers(layers)
    found = list(islice(_orders(groups, chain), ORDERS_MAX + 1))
    if not found and _kinds(layers) == _kinds(chain):
        # The numbers are no places (`fc128` has 128 units): only shapes count.
        found = list(islice(_orders([[layer] for layer in layers], chain), ORDERS_MAX + 1))
    if len(found) > ORDERS_MAX:
        raise ValueError(
            f"the file's layers fit the architecture's in more than {ORDERS_MAX} orders: {_to_do(found[0])}"
        )
    return found or [list(layers)]


def refuse_several(orders: Sequence[Sequence[Layer]]) -> None:
    """Refuse to choose one of several orders.

    Raises:
        ValueError: there are several; the message names two layers that could be swapped, and what to send.
    """
    if len(orders) > 1:
        first, second = next((a, b) for a, b in zip(orders[0], orders[1], strict=True) if a != b)
        raise ValueError(
            f"{first.name} and {second.name} have one shape, and nothing tells which of them is used first: a "
            f"state_dict has names, no order. {_to_do(orders[0])}"
        )


def _as_named(layers: Sequence[Layer], order: Sequence[str]) -> list[Layer]:
    by_name = {layer.name: layer for layer in layers}
    if by_name.keys() != set(order):
        raise ValueError(f"order must name the file's layers, each once: {shown(list(by_name))}; got {shown(order)}")
    return [by_name[name] for name in order]


def _to_do(layers: Sequence[Layer]) -> str:
    return (
        f"Send order= with the layers' names as they are used, one of them is {shown([each.name for each in layers])}; "
        "or examples that must hold, by expect=; or number the names as torch.nn.Sequential does (0.weight, 2.weight)"
    )


def shown(names: Sequence[str]) -> str:
    """Names for a message, cut where they are too long for one."""
    text = ",".join(names)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


def _kinds(layers: Sequence[Layer]) -> Counter[tuple[tuple[int, ...], bool]]:
    return Counter((layer.shape, layer.bias) for layer in layers)


def _by_numbers(layers: Sequence[Layer]) -> list[list[Layer]]:
    """Layers whose names differ by numbers only in a group each, in the order of these."""
    by_name: dict[str, list[Layer]] = {}
    for layer in layers:
        by_name.setdefault(_NUMBER.sub("#", layer.name), []).append(layer)
    return [sorted(group, key=_numbers) for group in by_name.values()]


def _orders(in_order: Sequence[Sequence[Layer]], chain: Sequence[Layer]) -> Iterator[list[Layer]]:
    """The orders in which the layers fit the chain, those of each group in its order."""
    groups = [deque(group) for group in in_order]

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
                layers = [layer for group in in_order for layer in group]
                raise ValueError(f"the file's layers fit the architecture's in too many ways. {_to_do(layers)}")
            continue
        if len(taken) == len(chain):
            yield [layer for _, layer in taken]
        ways.pop()
        if taken:
            number, layer = taken.pop()
            groups[number].appendleft(layer)


def _numbers(layer: Layer) -> list[int]:
    return [int(number) for number in _NUMBER.findall(layer.name)]
