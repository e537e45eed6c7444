"""What a gateway tells a monitoring system while its broker hangs, or is away."""

from __future__ import annotations

import os
import signal
from functools import partial
from pathlib import Path
from time import monotonic

import pytest
import requests

from inference.supervision.rabbitmq import PrivateNode
from tests.integration.conftest import running, running_node
from tests.support.system import System
from tests.support.waiting import wait_until

SECONDS = 30.0
#: A scrape, or a poll, that takes longer counts as lost where it is asked from.
BOUND_SECONDS = 6.0


@pytest.mark.parametrize("how", ["hangs", "ends"])
def test_it_answers_in_time_and_says_what_is_away(how: str, directory: Path) -> None:
    for node in running_node(directory / "rabbitmq"):
        for system in running(System(directory / "system", node.url, PIPELINE_STATUS_TIMEOUT="1"), workers=1):
            system.load_first_sample()
            assert not is_broker_away(system)
            stop(node, how)
            try:
                wait_until(partial(is_broker_away, system), SECONDS, "the broker is missed")
                look(system)
            finally:
                if how == "hangs":
                    resume(node)


def look(system: System) -> None:
    for _ in range(3):
        assert "pipeline_requests_held" in timed(system, "/metrics").text
    answer = timed(system, "/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["broker"]["status"] is False
    assert timed(system, "/healthz").status_code == 200


def stop(node: PrivateNode, how: str) -> None:
    if how == "hangs":
        assert node.pid is not None
        os.kill(node.pid, signal.SIGSTOP)
    else:
        node.stop()


def resume(node: PrivateNode) -> None:
    assert node.pid is not None
    os.kill(node.pid, signal.SIGCONT)


def timed(system: System, path: str) -> requests.Response:
    began = monotonic()
    response = requests.get(system.url + path, timeout=30)
    assert monotonic() - began < BOUND_SECONDS
    return response


def is_broker_away(system: System) -> bool:
    return 'pipeline_up{part="broker"} 0.0' in timed(system, "/metrics").text.splitlines()
