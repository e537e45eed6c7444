"""Networks described as Keras 2 writes them, for tests of what becomes of them."""

from __future__ import annotations

import json
from typing import Any

from workers.runtime.backend import keras
from workers.runtime.legacy_config import translate
from workers.runtime.models import build_model

Json = dict[str, Any]


def layer(kind: str, name: str = "one", **config: Any) -> Json:
    return {"class_name": kind, "config": {"name": name, "trainable": True, "dtype": "float32", **config}, "name": name}


def sequential(*layers: Json, version: str | None = "2.15.0", **config: Any) -> Json:
    given = layer("InputLayer", "given", batch_input_shape=[None, 3], ragged=False, sparse=False)
    described = {"class_name": "Sequential", "config": {"name": "s", "layers": [given, *layers], **config}}
    return described if version is None else described | {"keras_version": version}


def functional(*layers: Json, outputs: Any = (("last", 0, 0),), version: str = "2.15.0") -> Json:
    given = layer("InputLayer", "given", batch_input_shape=[None, 3]) | {"inbound_nodes": []}
    config = {"name": "f", "layers": [given, *layers], "input_layers": [["given", 0, 0]]}
    config["output_layers"] = [list(each) for each in outputs]
    return {"class_name": "Functional", "config": config, "keras_version": version}


def called(described: Json, *nodes: Any) -> Json:
    return described | {"inbound_nodes": list(nodes)}


def build(described: Json) -> keras.Model:
    return build_model(json.dumps(described))


def only_layer(described: Json) -> Json:
    config: Json = translate(described)["config"]["layers"][1]
    return config
