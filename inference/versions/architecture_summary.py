"""An architecture for a person to read: its layers, the shapes between them, and how many parameters each has.

Everything is read from the Keras JSON. It may be anybody's, so nothing in it is relied on: what is missing is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from inference.versions.layer_parameters import count_parameters

#: A page shows no more layers; all are counted.
LAYERS_SHOWN_MAX = 300
NESTED_MAX = 20
TEXT_MAX = 100
_MODELS = ("Sequential", "Functional", "Model")
#: What says most about a layer, by the names in its config.
_TOLD = ("units", "filters", "kernel_size", "strides", "pool_size", "num_heads", "rate", "activation")


@dataclass(frozen=True)
class Layer:
    """One layer; `depth` is how many models it is nested in, `parameters` None where the number is unknown."""

    name: str
    kind: str
    depth: int
    shape: str
    told: str
    parameters: int | None


@dataclass(frozen=True)
class ArchitectureSummary:
    """All that is shown of an architecture; `parameters` are those that are known, of all layers but `unknown`."""

    kind: str
    name: str
    layers: list[Layer] = field(default_factory=list)
    layers_count: int = 0
    parameters: int = 0
    unknown: int = 0

    @property
    def left_out(self) -> int:
        """How many layers are not shown."""
        return self.layers_count - len(self.layers)


def summarize(text: str | bytes) -> ArchitectureSummary | None:
    """The summary of a Keras model's JSON; None when it is none."""
    try:
        model = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(model, dict) or model.get("class_name") not in _MODELS:
        return None
    layers = list(_layers(model, 0))
    known = [layer.parameters for layer in layers if layer.parameters is not None]
    return ArchitectureSummary(
        kind=str(model["class_name"]),
        name=_text(_config(model).get("name", "")),
        layers=layers[:LAYERS_SHOWN_MAX],
        layers_count=len(layers),
        parameters=sum(known),
        unknown=len(layers) - len(known),
    )


def _layers(model: dict[str, Any], depth: int) -> Iterator[Layer]:
    inner = _config(model).get("layers")
    layers = [layer for layer in inner if isinstance(layer, dict)] if isinstance(inner, list) else []
    shapes = _shapes_between(layers, chained=model["class_name"] == "Sequential")
    for layer in layers:
        config, kind = _config(layer), _text(layer.get("class_name", "?"))
        name = _text(config.get("name") or layer.get("name") or kind)
        nested = kind in _MODELS
        build = layer.get("build_config")
        parameters = 0 if nested else count_parameters(kind, config, build if isinstance(build, dict) else {})
        yield Layer(name, kind, depth, _shape(shapes.get(name) or _own_shape(config)), _told(config), parameters)
        if nested and depth < NESTED_MAX:
            yield from _layers(layer, depth + 1)


def _shapes_between(layers: list[dict[str, Any]], chained: bool) -> dict[str, Any]:
    """What each layer puts out, by its name, as far as the layers after it say what they take."""
    found: dict[str, Any] = {}
    before = ""
    for layer in layers:
        if chained:
            build = layer.get("build_config")
            if before and isinstance(build, dict):
                found[before] = build.get("input_shape")
            before = _text(_config(layer).get("name", ""))
        for tensor in _tensors(layer.get("inbound_nodes"), 0):
            history = tensor.get("keras_history")
            if isinstance(history, list) and history:
                found[_text(history[0])] = tensor.get("shape")
    return found


def _tensors(value: Any, depth: int) -> Iterator[dict[str, Any]]:
    if depth > NESTED_MAX:
        return
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            yield _config(value)
            return
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _tensors(each, depth + 1)


def _own_shape(config: dict[str, Any]) -> Any:
    for name in ("batch_shape", "batch_input_shape"):  # the second is Keras 2's
        if name in config:
            return config[name]
    return [None, config["units"]] if isinstance(config.get("units"), int) else None


def _shape(shape: Any) -> str:
    """A shape without its batch dimension."""
    if not isinstance(shape, list) or not shape or isinstance(shape[0], list):
        return ""
    return _text(" × ".join("any" if size is None else str(size) for size in shape[1:]) or "one number")


def _told(config: dict[str, Any]) -> str:
    told = ((name, _plain(config.get(name))) for name in _TOLD)
    return _text(", ".join(f"{name.replace('_', ' ')} {value}" for name, value in told if value))


def _plain(value: Any) -> str:
    if isinstance(value, dict):  # an activation, as an object
        value = value.get("config") if isinstance(value.get("config"), str) else value.get("class_name")
    if isinstance(value, list):
        return "×".join(map(str, value))
    return "" if value in (None, "linear") else str(value)


def _config(described: dict[str, Any]) -> dict[str, Any]:
    config = described.get("config")
    return config if isinstance(config, dict) else {}


def _text(value: Any) -> str:
    text = str(value)
    return text if len(text) <= TEXT_MAX else f"{text[:TEXT_MAX]}…"
