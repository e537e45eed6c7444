"""Weight changes one after the other, noted for `tests.support.verdict`, and the memory of the processes meanwhile."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psutil
from numpy.typing import NDArray

from inference.client.http_client import Answer, PipelineClient
from tests.support.predicting_clients import Made
from tests.support.system import System
from tests.support.uploads import Upload
from tests.support.verdict import Switch

MEGABYTE = 1024**2


@dataclass
class Switches:
    """The weight changes of a run, and what each version they made answers."""

    done: list[Switch] = field(default_factory=list)
    refused: list[Answer] = field(default_factory=list)
    own_answers: dict[Made, NDArray[Any]] = field(default_factory=dict)

    def upload(self, client: PipelineClient, upload: Upload) -> Answer:
        """Switch to new weights; threads may do so at the same time."""
        asked = time.monotonic()
        answer = client.set_weights(upload.nn_id, "weights.b64", upload.content)
        made = Made(upload.nn_id, answer["version"])
        self.own_answers[made] = upload.answers
        self._note(made, asked, answer)
        return answer

    def activate_earlier(self, client: PipelineClient) -> Answer:
        """Switch to the version that the last one's network had before."""
        last = self.done[-1].made
        earlier = next(each.made for each in reversed(self.done) if each.made.nn_id == last.nn_id and each.made != last)
        asked = time.monotonic()
        answer = client.activate(*earlier)
        self._note(earlier, asked, answer)
        return answer

    def _note(self, made: Made, asked: float, answer: Answer) -> None:
        if answer["status"]:
            self.done.append(Switch(made, asked, time.monotonic()))
        else:
            self.refused.append(answer)

    def upload_all(self, clients: Sequence[PipelineClient], uploads: Sequence[Upload]) -> None:
        """Switch to each in turn, through each gateway in turn."""
        for number, upload in enumerate(uploads):
            self.upload(clients[number % len(clients)], upload)

    def milliseconds(self) -> list[float]:
        """How long each took."""
        return [(each.answered - each.asked) * 1000 for each in self.done]


def memory_megabytes(system: System) -> dict[str, float]:
    """The resident memory of each worker, of each worker's helpers, and of each gateway process."""
    found: dict[str, float] = {}
    for worker in system.workers:
        if worker.alive():
            process = psutil.Process(worker.pid)
            found[worker.name] = process.memory_info().rss / MEGABYTE
            found[f"{worker.name} helpers"] = _children(process)
    for gateway in [system.gateway, *system.more_gateways]:
        for number, process in enumerate(psutil.Process(gateway.pid).children()):
            found[f"{gateway.name}/{number + 1}"] = process.memory_info().rss / MEGABYTE
    return found


def _children(process: psutil.Process) -> float:
    return sum(child.memory_info().rss for child in process.children(recursive=True)) / MEGABYTE
