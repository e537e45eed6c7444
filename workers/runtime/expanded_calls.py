"""How many calls of layers Keras makes for a network: those in a nested model are made anew with each call of it."""

from __future__ import annotations

from typing import Any


def expanded_calls(value: Any) -> int:
    """The calls within any part of an architecture; one that is too deep for Python's stack is not for this."""
    if isinstance(value, list):
        return sum(expanded_calls(each) for each in value if isinstance(each, dict | list))
    if not isinstance(value, dict):
        return 0
    config = value.get("config") if "class_name" in value else None
    layers = config.get("layers") if isinstance(config, dict) else config
    if not isinstance(layers, list):
        return sum(expanded_calls(each) for each in value.values() if isinstance(each, dict | list))
    calls = sum(_calls_of(each) for each in layers)
    if value["class_name"] == "Sequential":
        # Keras builds it anew with each layer that it adds: n * n / 2 calls for n layers.
        calls = calls * max(2, len(layers)) // 2
    rest = [each for key, each in value.items() if key != "config"]
    if isinstance(config, dict):
        rest += [each for key, each in config.items() if key != "layers"]
    return calls + expanded_calls(rest)


def _calls_of(layer: Any) -> int:
    nodes = layer.get("inbound_nodes") if isinstance(layer, dict) else None
    return max(1, len(nodes) if isinstance(nodes, list) else 1) * max(1, expanded_calls(layer))
