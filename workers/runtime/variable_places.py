"""Where a model's variables stand among its layers: `encoder/hidden/kernel`, each layer's name in that of its owner."""

from __future__ import annotations

from workers.runtime.backend import keras


def find_places(model: keras.Model) -> list[str]:
    """The places of the model's weights, in their order; the first one for a layer that several own."""
    places: dict[int, str] = {}
    seen: set[int] = set()

    def visit(layer: keras.layers.Layer, above: tuple[str, ...]) -> None:
        seen.add(id(layer))
        for inner in layer._flatten_layers(include_self=False, recursive=False):
            if id(inner) not in seen:
                visit(inner, (*above, inner.name))
        for variable in layer.weights:
            places.setdefault(id(variable), "/".join((*above, variable.name)))

    visit(model, ())
    return [places[id(variable)] for variable in model.weights]
