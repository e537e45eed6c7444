"""Kinds of files that other libraries and versions wrote, kept as data with what they answered."""

from __future__ import annotations

import json
from typing import Any
from zipfile import ZipFile

import numpy as np

from tests.support.kind import Kind, Sample
from workers.settings import ROOT

DATA = ROOT / "tests" / "data"
IGNORED = "Its file holds more than the network's weights"


def saved(writer: str, name: str, saved_as: str, *before: str, says: str = "") -> Kind:
    """A model that another Keras wrote; `before` are files that are uploaded first."""

    def sample() -> Sample:
        with ZipFile(DATA / "saved_by_keras" / f"{writer}.zip") as files:
            uploads = [files.read(each) for each in (*before, name)]
            told = json.loads(files.read(name.partition(".")[0].removesuffix("_weights") + ".json"))
        rows = [np.array(each) for each in told["rows"].values()]
        answers = [np.array(each) for each in told["answers"]]
        if len(rows) == 1:
            return Sample(uploads, rows[0], {"": answers[0]})
        return Sample(uploads, dict(zip(told["rows"], rows, strict=True)), dict(zip(OUTPUTS, answers, strict=True)))

    return Kind(sample, saved_as, says=says)


#: Of `inputs_and_outputs`.
OUTPUTS = ("first", "second")


def by_torch(name: str, saved_as: str, told: str = "torch_2_14/answers.json", remark: str = "", says: str = "") -> Kind:
    """A network of Linear layers that PyTorch wrote."""

    def sample() -> Sample:
        answers: dict[str, Any] = json.loads((DATA / told).read_text())
        predictions = answers["predictions"]
        made = np.array(predictions[name] if isinstance(predictions, dict) else predictions)
        return Sample([(DATA / name).read_bytes()], np.array(answers["rows"])[:4], {"": made[:4]})

    return Kind(sample, saved_as, says=says, remark=remark)


KEPT_KINDS = {
    "a whole model of Keras 2.12": saved("keras_2_12", "attention.h5", "`.h5`"),
    "a whole model of Keras 2.15, an inner model in it": saved("keras_2_15", "nested.h5", "`.h5`"),
    "several inputs and outputs of Keras 2.15": saved("keras_2_15", "inputs_and_outputs.h5", "`.h5`"),
    "weights of Keras 2.15": saved("keras_2_15", "nested_weights.h5", "`.h5`, after the model", "nested.h5"),
    "a whole model of tf_keras 2.16": saved("tf_keras_2_16", "convolution.keras", "`.keras`"),
    "a whole model of Keras 3.15": saved("keras_3_15", "bidirectional.h5", "`.h5`"),
    "Linear layers of PyTorch 2.0": by_torch(
        "torch_2_0_float64.pt", "`torch.save` of a `state_dict`", "torch_2_0.json"
    ),
    "Linear layers of PyTorch 2.13": by_torch(
        "torch_2_13_float32.pt", "`torch.save` of a `state_dict`", "torch_2_13.json"
    ),
    "a checkpoint of PyTorch": by_torch("torch_2_14/checkpoint.pt", "`torch.save` of a dict with one", remark=IGNORED),
    "PyTorch's views of a larger storage": by_torch("torch_2_14/views.pt", "`torch.save` of a `state_dict`"),
    "PyTorch's format before 1.6": by_torch("torch_2_14/before_1_6_plain.pt", "`torch.save` of a `state_dict`"),
    "Lambda, of Keras 2": saved("keras_2_15", "code.h5", "`.h5`", says="Lambda"),
    "two networks in a checkpoint": by_torch(
        "torch_2_14/two_networks.pt", "`torch.save` of a dict with two", says="weights in several places"
    ),
    "PyTorch's network as an object": by_torch(
        "torch_2_14/module.pt", "`torch.save` of a module", says="save it by torch.save"
    ),
}
