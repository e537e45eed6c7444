"""The calls of a functional model of Keras 2 (`inbound_nodes`), said as Keras 3 says them.

Keras 2 writes a call as [[layer, call, output, arguments], ...]; Keras 3 as {"args": [...], "kwargs": {...}}.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from workers.runtime.errors import ArchitectureError

Json = dict[str, Any]

MAX_DEPTH = 50
#: Stands for a layer where an argument is a plain number.
CONSTANT = "_CONSTANT_VALUE"
#: They take their first state behind the sequence, where Keras 3 has an argument for it.
_RECURRENT = ("RNN", "LSTM", "GRU", "SimpleRNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "Bidirectional")


class Calls:
    """Which call of which layer a tensor comes from, in Keras 3's numbers.

    In Keras 2 a nested model's calls are numbered from 1, its own making being call 0, where Keras 3 begins with 0. A
    call is there because something takes what it puts out, so the smallest number that occurs is that of the first.
    """

    def __init__(self, layers: list[Json], outputs: Any, rename: Callable[[str], str]) -> None:
        self._rename = rename
        self._functional = {
            str(each.get("name")) for each in layers if each.get("class_name") in ("Functional", "Model")
        }
        self._first: dict[str, int] = {}
        for layer, call in references([[each.get("inbound_nodes") for each in layers], outputs]):
            self._first[layer] = min(call, self._first.get(layer, call))

    def nodes_of(self, layer: Json) -> list[Json]:
        """A layer's calls."""
        return [self._node(each, layer.get("class_name") in _RECURRENT) for each in nodes(layer)]

    def _node(self, node: Any, recurrent: bool) -> Json:
        if isinstance(node, dict):
            taken = {key: self.tensor(value) for key, value in node.items()}
            return {"args": [taken], "kwargs": self._kwargs(next(iter(node.values())))}
        inputs = [node] if isinstance(node[0], str) else node
        tensors = [self.tensor(each) for each in inputs]
        kwargs = self._kwargs(inputs[0])
        if recurrent and len(tensors) > 1:
            return {"args": tensors[:1], "kwargs": {**kwargs, "initial_state": tensors[1:]}}
        return {"args": tensors if len(tensors) == 1 else [tensors], "kwargs": kwargs}

    def _kwargs(self, first: Any) -> Json:
        return {key: self.value(value) for key, value in arguments(first).items() if value is not None}

    def value(self, value: Any, depth: int = 0) -> Any:
        """An argument, with all tensors in it."""
        if is_reference(value):
            return self.tensor(value)
        if depth > MAX_DEPTH:
            raise ArchitectureError(f"the arguments of a call are nested more than {MAX_DEPTH} deep")
        if isinstance(value, list):
            return [self.value(each, depth + 1) for each in value]
        return value

    def tensor(self, reference: Any) -> Any:
        """A tensor that a layer puts out; or the number that stands in its place."""
        if not is_reference(reference):
            raise ArchitectureError("the architecture has a call of a layer that names no tensors")
        layer, call, output = reference[:3]
        if layer == CONSTANT:
            return output
        history = [self._rename(layer), call - self._first.get(layer, 0), output]
        # Keras takes the tensor that the layer really puts out: no more is read of this one than where it comes from.
        config = {"shape": [None], "dtype": "float32", "keras_history": history}
        return {"class_name": "__keras_tensor__", "config": config}

    def model_tensors(self, references: Any) -> Any:
        """A model's inputs or outputs."""
        if isinstance(references, dict):
            return {key: self._model_tensor(value) for key, value in references.items()}
        if is_reference(references):
            return self._model_tensor(references)
        if not isinstance(references, list) or not references:
            raise ArchitectureError("the architecture has a model without inputs or outputs")
        tensors = [self._model_tensor(each) for each in references]
        return tensors if len(tensors) > 1 else tensors[0]

    def _model_tensor(self, reference: Any) -> list[Any]:
        if not is_reference(reference):
            raise ArchitectureError("the architecture has an input or output that is no layer's")
        layer, call, output = reference[:3]
        # Here, and not in calls, Keras 3 numbers as Keras 2 does.
        call += (layer in self._functional) - self._first.get(layer, 0)
        return [self._rename(layer), call, output]


def nodes(layer: Json) -> list[Any]:
    """A layer's calls as Keras 2 writes them.

    Raises:
        ArchitectureError: they are written otherwise.
    """
    found = layer.get("inbound_nodes")
    if not isinstance(found, list) or not all(each and isinstance(each, list | dict) for each in found):
        raise ArchitectureError(f"the architecture's {layer.get('class_name')} does not say what it is called with")
    return found


def arguments(reference: Any) -> Json:
    """The further arguments of a call, which stand behind its first tensor."""
    further = (reference[3] if len(reference) > 3 else {}) if is_reference(reference) else None
    if not isinstance(further, dict):
        raise ArchitectureError("the architecture has a call of a layer with arguments that have no names")
    return further


def is_reference(value: Any) -> bool:
    """Whether this names a tensor: [layer, call, output], and perhaps arguments."""
    return (
        isinstance(value, list)
        and len(value) in (3, 4)
        and isinstance(value[0], str)
        and type(value[1]) is int
        and (type(value[2]) is int or value[0] == CONSTANT)
    )


def references(value: Any, depth: int = 0) -> Iterator[tuple[str, int]]:
    """The layers, and which of their calls, that are named anywhere in this."""
    if depth > MAX_DEPTH:
        raise ArchitectureError(f"the arguments of a call are nested more than {MAX_DEPTH} deep")
    if is_reference(value):
        yield value[0], value[1]
        value = value[3:]
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from references(each, depth + 1)
