"""Which layers of a functional model of Keras 2 may put out whole numbers: some functions mean another one for these.

Where it is not known, as of most layers, it may be so if it is so of what they take.
"""

from __future__ import annotations

from typing import Any

from workers.runtime.legacy_nodes import references

Json = dict[str, Any]

#: They put out numbers with fractions, whatever they take.
_FRACTIONS = (
    *("BatchNormalization", "Bidirectional", "CategoryEncoding", "Conv1D", "Conv2D", "Conv3D", "Dense", "Embedding"),
    *("GRU", "LSTM", "LayerNormalization", "MultiHeadAttention", "Normalization", "Rescaling", "RNN", "SimpleRNN"),
)
#: How the names of such types begin; what takes texts puts out their numbers.
_WHOLE = ("int", "uint", "bool", "string")


def whole_number_layers(layers: list[Json]) -> set[str]:
    """The names of those that may put out whole numbers."""
    by_source: dict[str, list[str]] = {}
    for each in layers:
        for source, _ in references(each.get("inbound_nodes")):
            by_source.setdefault(source, []).append(str(each.get("name")))
    kinds = {str(each.get("name")): _kind(each) for each in layers}
    whole: set[str] = set()
    waiting = [name for name, (always, _) in kinds.items() if always]
    while waiting:
        name = waiting.pop()
        if name not in whole:
            whole.add(name)
            waiting.extend(each for each in by_source.get(name, ()) if kinds[each][1])
    return whole


def _kind(layer: Json) -> tuple[bool, bool]:
    """Whether a layer puts out whole numbers always, and whether it does if it takes some."""
    name, config = layer.get("class_name"), layer.get("config")
    if isinstance(config, dict) and config.get("function") == "cast":
        return _of_cast(layer)
    inner = config.get("layers") if isinstance(config, dict) else config
    if isinstance(inner, list) and all(isinstance(each, dict) for each in inner):
        return _of_model(str(name), config, inner)
    if isinstance(config, dict) and is_whole(config.get("dtype")):
        return True, True
    return False, name not in _FRACTIONS


def _of_cast(layer: Json) -> tuple[bool, bool]:
    nodes = layer.get("inbound_nodes")
    first = nodes[0] if isinstance(nodes, list) and nodes else None
    further = first[3] if isinstance(first, list) and len(first) > 3 else None
    dtype = further.get("dtype") if isinstance(further, dict) else None
    whole = not isinstance(dtype, str) or is_whole(dtype)
    return whole, whole


def _of_model(name: str, config: Any, inner: list[Json]) -> tuple[bool, bool]:
    if name == "Sequential":
        always, passing = False, True
        for one_always, one_passing in map(_kind, inner):
            always, passing = one_always or (always and one_passing), one_always or (passing and one_passing)
        return always, passing
    whole = whole_number_layers(inner)
    outputs = config.get("output_layers") if isinstance(config, dict) else None
    found = any(source in whole for source, _ in references(outputs))
    return found, found


def is_whole(dtype: Any) -> bool:
    """Whether this names a type that is not of numbers with fractions."""
    return isinstance(dtype, str) and dtype.startswith(_WHOLE)
