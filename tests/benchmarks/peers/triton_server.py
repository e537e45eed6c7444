"""Triton with the sum network as a model of its Python backend: batches of up to 64 requests, without any delay.

Started by the Python that NVIDIA's wheel is installed for, in a folder of its own, in place of itself: the wheel's own
Python side is not used.
"""

import base64
import json
import os
import shutil
import sys
from io import BytesIO
from pathlib import Path

import h5py
import numpy as np

HERE = Path(__file__).resolve().parent
DATA = HERE.parents[2] / "data"
SAMPLE = "000127a35b5f462b8ec68fb4d905ac36_*.b64"
CONFIGURATION = """
name: "sum"
backend: "python"
max_batch_size: 64
input [{ name: "rows", data_type: TYPE_FP32, dims: [2] }]
output [{ name: "sum", data_type: TYPE_FP32, dims: [1] }]
instance_group [{ kind: KIND_CPU, count: 1 }]
dynamic_batching { }
"""


def weights():
    """The kernels and biases of the first sample network's layers, the first one's first."""
    found = {}
    with h5py.File(BytesIO(base64.b64decode(next(DATA.glob(SAMPLE)).read_bytes()))) as file:
        for number, layer in enumerate(sorted(file["layers"])):
            variables = file["layers"][layer]["vars"]
            found |= {f"kernel_{number}": variables["0"][:], f"bias_{number}": variables["1"][:]}
    return found


def write_model(repository, packages):
    """The model's folder."""
    model = repository / "sum" / "1"
    model.mkdir(parents=True)
    (repository / "sum" / "config.pbtxt").write_text(CONFIGURATION)
    shutil.copy(HERE / "triton_model.py", model / "model.py")
    (model / "paths.json").write_text(json.dumps({"packages": str(packages)}))
    np.savez(model / "weights.npz", **weights())


def write_backend(folder, triton):
    """The Python backend's folder: the wheel has the part for each Python elsewhere."""
    stub = triton / "python_backend_stubs" / "{}.{}".format(*sys.version_info) / "triton_python_backend_stub"
    shutil.copytree(triton / "backends" / "python", folder / "python")
    shutil.copy(stub, folder / "python")


def become(port, models, packages, names):
    """Serve these models of a folder, in place of this process; the backend is put beside them."""
    triton = packages / "pytriton" / "tritonserver"
    write_backend(models.parent / "backends", triton)
    arguments = {
        "model-repository": models,
        "backend-directory": models.parent / "backends",
        "http-address": "127.0.0.1",
        "http-port": port,
        "allow-grpc": "false",
        "allow-metrics": "false",
        "model-control-mode": "explicit",
    }
    server = str(triton / "bin" / "tritonserver")
    command = [server, *(f"--{name}={value}" for name, value in arguments.items())]
    command += [f"--load-model={name}" for name in names]
    settings = {"LD_LIBRARY_PATH": str(packages / "nvidia_pytriton.libs"), "OPENBLAS_NUM_THREADS": "1"}
    os.execve(server, command, os.environ | settings)  # noqa: S606 - in place of this process


if __name__ == "__main__":
    folder, site_packages = Path.cwd() / "models", Path(np.__file__).parents[1]
    write_model(folder, site_packages)
    become(sys.argv[1], folder, site_packages, ["sum"])
