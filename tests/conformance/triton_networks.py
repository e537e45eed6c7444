"""Triton with the networks that triton_model.py has, as models of its Python backend: triton_networks.py PORT.

Started by the Python that NVIDIA's wheel is installed for, in a folder of its own, in place of itself.
"""

import json
import shutil
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "benchmarks" / "peers"))

from triton_server import become  # noqa: E402 - it is found by the path above

TENSORS = {
    "simple": (
        {"INPUT0": ("INT32", [16]), "INPUT1": ("INT32", [16])},
        {"OUTPUT0": ("INT32", [16]), "OUTPUT1": ("INT32", [16])},
    ),
    "doubled": ({"rows": ("FP32", [3])}, {"scaled": ("FP32", [3])}),
    "words": ({"word": ("STRING", [1])}, {"number": ("INT64", [1]), "again": ("STRING", [1])}),
    "colours": ({"image": ("FP32", [224, 224, 3])}, {"mean": ("FP32", [3])}),
}


def configuration(name):
    """What a config.pbtxt says."""
    inputs, outputs = (
        ", ".join(f'{{ name: "{each}", data_type: TYPE_{kind}, dims: {dims} }}' for each, (kind, dims) in part.items())
        for part in TENSORS[name]
    )
    return (
        f'name: "{name}"\nbackend: "python"\nmax_batch_size: 64\ninput [{inputs}]\noutput [{outputs}]\n'
        "instance_group [{ kind: KIND_CPU, count: 1 }]\n"
    )


def write_networks(repository, packages):
    """A folder for each."""
    for name in TENSORS:
        model = repository / name / "1"
        model.mkdir(parents=True)
        (repository / name / "config.pbtxt").write_text(configuration(name))
        shutil.copy(HERE / "triton_model.py", model / "model.py")
        (model / "paths.json").write_text(json.dumps({"packages": str(packages)}))


if __name__ == "__main__":
    folder, site_packages = Path.cwd() / "models", Path(np.__file__).parents[1]
    write_networks(folder, site_packages)
    become(sys.argv[1], folder, site_packages, TENSORS)
