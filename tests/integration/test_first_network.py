"""The first start loads a sample only where nobody has uploaded anything, however late that comes."""

from __future__ import annotations

from pathlib import Path
from typing import IO

from inference.client.http_client import Answer, PipelineClient
from inference.supervision.first_answer import FIRST_NN_ID, load_first_network
from inference.supervision.rabbitmq import PrivateNode
from tests.integration.conftest import running
from tests.support.samples import samples
from tests.support.system import System
from workers.settings import ROOT


class Overtaken(PipelineClient):
    """The first start's client: somebody uploads between its look whether a network is active and its own upload."""

    def __init__(self, system: System) -> None:
        super().__init__(system.url)
        self.system = system

    def set_weights(self, nn_id: str, file_name: str, body: bytes | IO[bytes], *, only_first: bool = False) -> Answer:
        users = samples()[1]
        assert self.system.client.set_weights(users.nn_id, users.file.name, users.file.read_bytes())["status"] is True
        return super().set_weights(nn_id, file_name, body, only_first=only_first)


def test_an_upload_that_comes_before_the_sample_stays_the_default(rabbitmq: PrivateNode, tmp_path: Path) -> None:
    for system in running(System(tmp_path, rabbitmq.url), workers=1):
        loaded = load_first_network(Overtaken(system), ROOT / "data", 60.0, lambda: None)

        assert loaded is None
        assert system.client.predict([0.1, 0.2])["message"] == samples()[1].nn_id
        assert FIRST_NN_ID not in {network["nn_id"] for network in system.client.networks()["networks"]}
