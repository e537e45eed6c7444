"""Which variable of an architecture a tensor is, when it is named by the path that its variable had in a live model.

A variable's path says within which layers it was made, and that differs: `encoder/hidden/kernel` of a live model is
`hidden/kernel` in one that is built from its config, where two inner models may have equal paths. Its place among the
layers is the same in both, and each path is the end of it, with the model's name in front or not.
"""

from __future__ import annotations

from collections.abc import Sequence


def match_places(names: Sequence[str], places: Sequence[str], model_name: str) -> list[str] | None:
    """The name for each place, where there is just one way to give each its own; none when they are no such names.

    Raises:
        ValueError: there are several ways; the message has two places that a name may stand for.
    """
    ends = _by_end(places)
    fitting = {name: set(ends.get(name) or ends.get(name.removeprefix(model_name + "/")) or ()) for name in names}
    if not names or len(names) > len(places) or not all(fitting.values()):
        return None
    found: dict[int, str] = {}
    single = [name for name in names if len(fitting[name]) == 1]
    by_place: dict[int, list[str]] = {}
    for name, fit in fitting.items():
        for place in fit:
            by_place.setdefault(place, []).append(name)
    while single:
        name = single.pop()
        if not fitting[name]:
            return None  # another name has its only place
        (place,) = fitting.pop(name)
        found[place] = name
        for other in by_place[place]:
            if other in fitting:
                fitting[other].discard(place)
                if len(fitting[other]) == 1:
                    single.append(other)
    if fitting:
        name, fit = next(iter(fitting.items()))
        first, second = (places[number] for number in sorted(fit)[:2])
        raise ValueError(f"{name} may be {first} or {second}: name the tensors so, by their layers")
    return [found[number] for number in range(len(places))] if len(found) == len(places) else None


def _by_end(places: Sequence[str]) -> dict[str, set[int]]:
    """The places' numbers by each end that a place has: `a/b/kernel`, `b/kernel` and `kernel`."""
    ends: dict[str, set[int]] = {}
    for number, place in enumerate(places):
        end = place
        while end:
            ends.setdefault(end, set()).add(number)
            end = end.partition("/")[2]
    return ends
