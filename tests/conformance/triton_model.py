"""The networks of tests/end_to_end/clients for Triton's Python backend, in NumPy, and one for images."""

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
# The backend's interpreter knows nothing of the environment that this model's packages are in.
sys.path.append(json.loads((HERE / "paths.json").read_text())["packages"])

import numpy as np  # noqa: E402
import triton_python_backend_utils as backend  # noqa: E402

WORDS = ["[UNK]", "red", "green", "übergrün"]


def simple(tensors):
    """Sum and difference."""
    first, second = tensors["INPUT0"], tensors["INPUT1"]
    return {"OUTPUT0": first + second, "OUTPUT1": first - second}


def doubled(tensors):
    """Each number twice."""
    return {"scaled": 2 * tensors["rows"]}


def words(tensors):
    """The number of each word, and the word again."""
    found = [word.decode() if word.decode() in WORDS else WORDS[0] for word in tensors["word"].ravel()]
    numbers = np.array([[WORDS.index(word)] for word in found], np.int64).reshape(-1, 1)
    return {"number": numbers, "again": np.array([[word.encode()] for word in found], object).reshape(-1, 1)}


def colours(tensors):
    """The mean colour of each image."""
    return {"mean": tensors["image"].mean(axis=(1, 2))}


NETWORKS = {"simple": simple, "doubled": doubled, "words": words, "colours": colours}
INPUTS = {"simple": ("INPUT0", "INPUT1"), "doubled": ("rows",), "words": ("word",), "colours": ("image",)}


class TritonPythonModel:
    """One of them."""

    def initialize(self, args):
        """Which one."""
        self.name = args["model_name"]

    def execute(self, requests):
        """One after the other."""
        answers = []
        for request in requests:
            given = {name: backend.get_input_tensor_by_name(request, name).as_numpy() for name in INPUTS[self.name]}
            wanted = request.requested_output_names()
            made = NETWORKS[self.name](given).items()
            answers.append(
                backend.InferenceResponse([backend.Tensor(name, each) for name, each in made if name in wanted])
            )
        return answers
