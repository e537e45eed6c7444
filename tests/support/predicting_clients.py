"""Clients that predict without a pause and note every answer, in a process of their own.

A process of their own, so that neither the test's work nor its garbage collector adds to the latencies. What the
answers are worth, `tests.support.verdict` says.
"""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from tests.support.keep_alive import KeptConnection, post_request

#: Longer than a gateway holds a request: its own 504 comes first.
ANSWER_SECONDS = 60.0
START_SECONDS = 60.0
STOP_SECONDS = ANSWER_SECONDS + 30.0
#: A client that fails at once does not run hot.
AFTER_FAILURE_SECONDS = 0.05


class Made(NamedTuple):
    """The version that made an answer, by the answer's own word."""

    nn_id: str
    number: int


class Prediction(NamedTuple):
    """One request and what came back; times are of `time.monotonic`, which all processes of a machine share."""

    sent: float
    received: float
    #: Which of the clients' bodies was sent, and to which of their gateways.
    body: int
    gateway: int
    #: Who made the result; None when there was none, and `failure` says why.
    made: Made | None
    result: Any
    failure: str


@dataclass(frozen=True)
class Load:
    """What the clients send: client i asks the gateway i mod len(urls), and takes the bodies in turn."""

    urls: Sequence[str]
    bodies: Sequence[dict[str, Any]]
    clients: int = 64
    #: The clients end by themselves after so long, and each after so many requests.
    seconds_max: float = 300.0
    requests_max: int = 100_000
    #: What each client rests after an answer.
    pause_seconds: float = 0.0


class PredictingClients:
    """Clients that run while the block does; `predictions` holds what they noted, once it has ended."""

    def __init__(self, load: Load) -> None:
        self.predictions: list[Prediction] = []
        spawning = multiprocessing.get_context("spawn")
        self._pipe, theirs = spawning.Pipe()
        self._process = spawning.Process(target=_predict_until_told, args=(load, theirs), daemon=True)

    def __enter__(self) -> PredictingClients:
        """Start them; returns when every client has had an answer."""
        self._process.start()
        if not self._pipe.poll(START_SECONDS):
            self._process.kill()
            raise AssertionError(f"not every client had an answer within {START_SECONDS:g} s")
        self._pipe.recv()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._pipe.send("stop")
            assert self._pipe.poll(STOP_SECONDS), "the clients did not stop"
            self.predictions = self._pipe.recv()
        finally:
            self._process.join(5)
            self._process.kill()


def _predict_until_told(load: Load, pipe: Connection) -> None:
    """The clients' process: run them until the pipe says stop, its other end is gone, or the time is over."""
    stop, started = threading.Event(), threading.Barrier(load.clients + 1)
    with ThreadPoolExecutor(load.clients) as pool:
        running = [pool.submit(_Client(load, number).run, started, stop) for number in range(load.clients)]
        started.wait(START_SECONDS)
        pipe.send("started")
        pipe.poll(load.seconds_max)
        stop.set()
    pipe.send([prediction for client in running for prediction in client.result()])


class _Client:
    """One client with one connection."""

    def __init__(self, load: Load, number: int) -> None:
        self._load = load
        self._number = number
        self._gateway = number % len(load.urls)
        url = load.urls[self._gateway]
        self._requests = [post_request(url, "/predict", body) for body in load.bodies]
        self._connection = KeptConnection(url, ANSWER_SECONDS)

    def run(self, started: threading.Barrier, stop: threading.Event) -> list[Prediction]:
        """Ask again and again; the first answer is told to `started`."""
        predictions = [self._predict(0)]
        started.wait(START_SECONDS)
        while not stop.is_set() and len(predictions) < self._load.requests_max:
            predictions.append(self._predict(len(predictions)))
            pause = max(self._load.pause_seconds, AFTER_FAILURE_SECONDS if predictions[-1].failure else 0.0)
            if pause:
                stop.wait(pause)
        self._connection.close()
        return predictions

    def _predict(self, count: int) -> Prediction:
        body = (self._number + count) % len(self._requests)
        made, result, failure = None, None, ""
        sent = time.monotonic()
        try:
            status_code, answer = self._connection.ask(self._requests[body])
            if status_code == 200 and answer["status"]:
                made, result = Made(answer["message"], answer["version"]), answer["result"]
            else:
                failure = f"{status_code}: {answer['message']}"
        except (OSError, ValueError, KeyError, TypeError) as error:
            failure = f"{type(error).__name__}: {error}"
        return Prediction(sent, time.monotonic(), body, self._gateway, made, result, failure)
