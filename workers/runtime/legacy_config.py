"""Says of an architecture in Keras 3's words what Keras 2, or a legacy `.h5` file, says of it in older ones.

Only plain data is moved about: no name is looked up here, and the outcome goes through the allow-list like any other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from workers.runtime.errors import ArchitectureError
from workers.runtime.legacy_dtypes import whole_number_layers
from workers.runtime.legacy_functions import FUNCTION_LAYERS, translate_function
from workers.runtime.legacy_nodes import Calls
from workers.runtime.legacy_operations import MODULES

Json = dict[str, Any]

MAX_DEPTH = 100
_MODELS = {"Sequential": "keras", "Functional": "keras.src.models.functional"}
#: Where Keras has its classes, by the first part of a module's name; other modules are somebody's own.
_KERAS = {"keras", "tf_keras", "tensorflow"}
#: Values as Keras 3 writes them, which are no layers.
_VALUES = ("__keras_tensor__", "__slice__", "__ellipsis__", "__bytes__", "__numpy__", "__tensor__", "function")
#: What only a training needs, by how its name ends; without an initializer Keras takes its own.
_FOR_TRAINING = ("_initializer", "_regularizer", "_constraint")
#: What Keras 3 no longer knows and what a prediction does not need.
_DROPPED = ("implementation", "input_length", "fused", "query_shape", "key_shape", "value_shape", "batch_input_shape")
#: What Keras 3 no longer knows, and is refused if it says something.
_REFUSED = ("ragged", "sparse", "time_major", "renorm", "virtual_batch_size", "adjustment", "causal", "num_constants")
_RENAMED = {"LeakyReLU": {"alpha": "negative_slope"}, "ThresholdedReLU": {"theta": "threshold"}}
#: What stands for Keras 2's function of this name, which is another one in Keras 3; see `legacy_activations`.
HARD_SIGMOID_OF_KERAS_2: Json = {
    "module": "builtins",
    "class_name": "function",
    "config": "hard_sigmoid_of_keras_2",
    "registered_name": "pipeline>hard_sigmoid_of_keras_2",
}
_FUNCTIONS = {"hard_sigmoid": HARD_SIGMOID_OF_KERAS_2}


def translate(described: Json) -> Json:
    """The architecture in Keras 3's words; one that is in them already comes back as it is.

    Raises:
        ArchitectureError: it says something that Keras 3 has no words for.
    """
    version = described.get("keras_version")
    if not isinstance(version, str):
        return described
    if version.startswith(("1.", "2.")):
        return _Translator(keras_2=True).translate(described)
    return described if "module" in described else _Translator(keras_2=False).translate(described)


class _Translator:
    """Translates layers and models, nested ones too."""

    def __init__(self, keras_2: bool) -> None:
        self._keras_2 = keras_2

    def translate(self, found: Json, depth: int = 0) -> Json:
        """One object that has a class: a model, a layer, a cell, a dtype policy."""
        name, config = found.get("class_name"), found.get("config")
        if not isinstance(name, str) or name in _VALUES:
            old = self._keras_2 and name == "function" and isinstance(config, str)
            return _FUNCTIONS.get(str(config), found) if old else found
        registered = found.get("registered_name")
        if isinstance(registered, str) and ">" in registered:
            # The operator's own code, which alone knows what its arguments mean.
            return {**_object(str(found.get("module")), name, config), "registered_name": registered}
        if name in ("Model", *_MODELS):
            return self._model(name, config, depth)
        if not isinstance(config, dict):
            raise ArchitectureError(f"the architecture's {name} has no config")
        if name == "Policy":
            return _object("keras", "DTypePolicy", {"name": config.get("name")})
        if self._keras_2 and name in FUNCTION_LAYERS:
            raise ArchitectureError(f"the architecture has a {name} that is not part of a functional model")
        module = self._module(name, found, config)
        name, config = _layer(name, dict(config)) if self._keras_2 else (name, config)
        translated = _object(module, name, self._values(config, depth))
        if registered not in (None, "", name):
            translated["registered_name"] = registered
        return translated

    def _module(self, name: str, found: Json, config: Json) -> str:
        module = str(found.get("module") or "keras.layers")
        if not self._keras_2 and name in MODULES and "module" not in found and "trainable" not in config:
            return MODULES[name]  # every layer says whether it is trained, also one of an operation's name
        if module.partition(".")[0] in _KERAS:
            return "keras.dtype_policies" if "Policy" in name else "keras.layers"
        return module

    def _values(self, config: Json, depth: int) -> Json:
        return {
            key: self._value(key, value, depth + 1)
            for key, value in config.items()
            if not key.endswith(_FOR_TRAINING) and key != "build_config"
        }

    def _value(self, key: str, value: Any, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise ArchitectureError(f"the architecture's JSON is nested more than {MAX_DEPTH} deep")
        if isinstance(value, list):
            return [self._value("", each, depth + 1) for each in value]
        if isinstance(value, dict):
            return self.translate(value, depth) if "class_name" in value else self._values(value, depth)
        if key == "name" and isinstance(value, str):
            return keras_3_name(value)
        if self._keras_2 and key in ("activation", "recurrent_activation") and isinstance(value, str):
            return _FUNCTIONS.get(value, value)
        return value

    def _model(self, name: str, config: Any, depth: int) -> Json:
        if name == "Sequential" and isinstance(config, list):
            config = {"name": "sequential", "layers": config}
        layers = config.get("layers") if isinstance(config, dict) else None
        if not isinstance(layers, list) or not all(isinstance(each, dict) for each in layers):
            raise ArchitectureError(f"the architecture's {name} has no layers")
        if depth > MAX_DEPTH:
            raise ArchitectureError(f"the architecture's models are nested more than {MAX_DEPTH} deep")
        name = "Sequential" if name == "Sequential" else "Functional"
        kept = {key: config[key] for key in ("name", "trainable", "dtype") if key in config}
        translated = self._values(kept, depth)
        if name == "Sequential":
            translated["layers"] = [self.translate(each, depth + 1) for each in _with_input(layers, config)]
        else:
            translated |= self._graph(config, layers, depth)
        if not all(isinstance(each.get("config"), dict) for each in translated["layers"]):
            raise ArchitectureError(f"the architecture's {name} has something among its layers that is none")
        _refuse_same_names(translated["layers"])
        return _object(_MODELS[name], name, translated)

    def _graph(self, config: Json, layers: list[Json], depth: int) -> Json:
        inputs, outputs = config.get("input_layers"), config.get("output_layers")
        if not self._keras_2:
            named = [{**each, "name": keras_3_name(str(each.get("name")))} for each in layers]
            translated = [
                self.translate(each, depth + 1)
                | {"name": each["name"], "inbound_nodes": self._value("", each.get("inbound_nodes"), depth + 1)}
                for each in named
            ]
            return {"layers": translated, "input_layers": inputs, "output_layers": outputs}
        calls, whole = Calls(layers, outputs, keras_3_name), whole_number_layers(layers)
        translated = []
        for each in layers:
            if each.get("class_name") in FUNCTION_LAYERS:
                module, name, own, nodes = translate_function(each, calls, whole)
                made = _object(module, name, own)
            else:
                made, nodes = self.translate(each, depth + 1), calls.nodes_of(each)
            name = keras_3_name(str(each.get("name")))
            if isinstance(made.get("config"), dict) and made["config"].get("name") != name:
                made = {**made, "config": {**made["config"], "name": name}}
            translated.append({**made, "name": name, "inbound_nodes": nodes})
        return {
            "layers": translated,
            "input_layers": calls.model_tensors(inputs),
            "output_layers": calls.model_tensors(outputs),
        }


def keras_3_name(name: str) -> str:
    """A layer's name as Keras 3 takes it: it knows no slashes in names."""
    return name.replace("/", "_")


def _object(module: str, name: str, config: Any) -> Json:
    return {"module": module, "class_name": name, "config": config, "registered_name": None}


def _with_input(layers: list[Json], config: Json) -> Iterator[Json]:
    """The layers of a Sequential model, with an input layer first where its shape is known."""
    first: Any = layers[0].get("config") if layers else None
    if layers and layers[0].get("class_name") != "InputLayer":
        first = first if isinstance(first, dict) else {}
        shape = first.get("batch_input_shape") or config.get("build_input_shape")
        if isinstance(shape, list):
            dtype = first.get("dtype")
            name = f"{first.get('name', config.get('name', 'sequential'))}_input"
            own = {"batch_shape": shape, "dtype": dtype if isinstance(dtype, str) else "float32", "name": name}
            yield _object("keras.layers", "InputLayer", own)
    yield from layers


def _refuse_same_names(layers: list[Json]) -> None:
    names = [each["config"].get("name") for each in layers]
    for name, count in Counter(str(each) for each in names if each is not None).items():
        if count > 1:
            raise ArchitectureError(f"the architecture has two layers whose name is {name!r} to Keras 3")


def _layer(name: str, config: Json) -> tuple[str, Json]:
    """A layer's class and arguments as Keras 3 has them."""
    for key in _REFUSED:
        if config.get(key):
            raise ArchitectureError(f"the architecture's {name} has {key}, which Keras 3 does not know")
    _adapt(name, config)
    for old, new in _RENAMED.get(name, {}).items():
        if old in config:
            config[new] = config.pop(old)
    name = "ReLU" if name == "ThresholdedReLU" else name
    return name, {key: value for key, value in config.items() if key not in (*_DROPPED, *_REFUSED)}


def _adapt(name: str, config: Json) -> None:
    """Change a layer's arguments to what they are in Keras 3."""
    axis = config.get("axis")
    if name == "InputLayer":
        config["batch_shape"] = config.get("batch_shape") or config.get("batch_input_shape")
    elif name in ("GRU", "GRUCell"):
        config.setdefault("reset_after", False)  # so it was before there was a choice
    elif name == "BatchNormalization" and isinstance(axis, list):
        if len(axis) != 1:
            raise ArchitectureError("the architecture's BatchNormalization has several axes: Keras 3 has one")
        config["axis"] = axis[0]
    # Keras 2 writes of all convolutions what some have, and of all dropouts, too.
    elif "Conv" in name and config.get("groups") == 1:
        del config["groups"]
    elif name.startswith("SpatialDropout"):
        for key in ("trainable", "noise_shape"):
            config.pop(key, None)
