"""The two that are asked, each with the same networks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory

from inference.supervision.addresses import LOOPBACK, free_ports
from inference.supervision.processes import Child
from tests.end_to_end.clients.networks import load_networks
from tests.support.own_node import running_system
from tests.support.system import clean_environment
from tests.support.waiting import wait_until
from workers.settings import ROOT

TRITON_PYTHON = ROOT / "var" / "bench" / "triton" / "bin" / "python"
START_SECONDS = 60.0


@contextmanager
def running_triton() -> Iterator[str]:
    """The address of a Triton that answers."""
    assert TRITON_PYTHON.exists(), f"{TRITON_PYTHON} is not there: scripts/conformance makes it"
    port = free_ports(1)[0]
    with TemporaryDirectory() as folder:
        command = [str(TRITON_PYTHON), str(Path(__file__).with_name("triton_networks.py")), str(port)]
        server = Child("triton", command, log=Path(folder) / "log", env=clean_environment(), cwd=Path(folder))

        def answers() -> bool:
            assert server.alive(), f"Triton ended: {server.log.read_text()[-2000:]}"
            connection = HTTPConnection(LOOPBACK, port, timeout=5)
            try:
                connection.request("GET", "/v2/health/ready")
                return connection.getresponse().status == 200
            except OSError:
                return False
            finally:
                connection.close()

        try:
            server.start()
            wait_until(answers, START_SECONDS, "Triton answers")
            yield f"{LOOPBACK}:{port}"
        finally:
            server.stop()


@contextmanager
def running_pipeline() -> Iterator[str]:
    """The address of a gateway with two workers."""
    with running_system(workers=2) as system:
        load_networks(system)
        yield system.url.removeprefix("http://")
