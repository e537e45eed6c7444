"""Other serving systems with the same network, each in the best configuration that we know.

They are installed into environments of their own: see scripts/bench.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import requests

from inference.supervision.addresses import LOOPBACK, free_ports
from inference.supervision.processes import Child
from tests.benchmarks.peers import triton_here
from tests.benchmarks.systems import Running, Start, family_of
from tests.benchmarks.wrk import Question
from tests.support.system import clean_environment
from tests.support.waiting import wait_until
from workers.settings import ROOT

PYTHON = ROOT / "var" / "bench" / "peers" / "bin" / "python"
TRITON_PYTHON = ROOT / "var" / "bench" / "triton" / "bin" / "python"
START_SECONDS = 60.0
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "KERAS_BACKEND": "tensorflow"}
VECTOR = b'{"vector":[0.3,0.7]}'
#: MLServer and Triton speak the Open Inference Protocol only.
TENSOR = b'{"inputs":[{"name":"rows","shape":[1,2],"datatype":"FP32","data":[0.3,0.7]}]}'


@contextmanager
def peer(
    name: str, question: Question, workers: int, *, python: Path = PYTHON, arguments: tuple[str, ...] = ()
) -> Iterator[Running]:
    """A peer's server, started by `NAME_server.py PORT ARGUMENTS`, once it answers."""
    assert python.exists(), f"{python} is not there: scripts/bench makes it"
    port, program = free_ports(1)[0], Path(__file__).with_name(f"{name}_server.py")
    url = f"http://{LOOPBACK}:{port}{question.url}"
    with TemporaryDirectory() as folder:
        server = Child(
            name,
            [str(python), str(program), str(port), *arguments],
            log=Path(folder) / "log",
            env=clean_environment() | QUIET,
            cwd=Path(folder),
        )

        def answers() -> bool:
            assert server.alive(), f"{name} ended: {server.log.read_text()[-2000:]}"
            try:
                return requests.post(url, question.body, headers={"Content-Type": "application/json"}, timeout=5).ok
            except requests.RequestException:
                return False

        try:
            server.start()
            wait_until(answers, START_SECONDS, f"{name} answers")
            yield Running(replace(question, url=url), {"server": family_of(server)}, "server")
        finally:
            server.stop()


SUM = Question("/predict", VECTOR, '"result":([^,}]+)', [1.0], 0.01)
BY_TENSORS = replace(SUM, url="/v2/models/sum/infer", body=TENSOR, pattern='"data":(%b[])')
PEERS: dict[str, Start] = {
    "litserve": partial(peer, "litserve", SUM, arguments=("2",)),
    "mlserver": partial(peer, "mlserver", BY_TENSORS),
    "mosec": partial(peer, "mosec", replace(SUM, url="/inference")),
    "triton": partial(peer, "triton", BY_TENSORS, python=TRITON_PYTHON),
}
#: Beside the best configurations: what LitServe chooses by itself.
MORE: dict[str, Start] = {"litserve-1-process": partial(peer, "litserve", SUM, arguments=("1",))}


def why_not(name: str) -> str:
    """Why a system cannot run on this machine; nothing when it can."""
    return triton_here.why_not() if name == "triton" else ""
