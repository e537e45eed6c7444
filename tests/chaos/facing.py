"""A cluster faces a fault: clients predict without end, the fault happens, and every answer is judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.chaos.cluster import Cluster
from tests.chaos.fault import Fault
from tests.support.predicting_clients import Load, PredictingClients, Prediction
from tests.support.uploads import bodies
from tests.support.verdict import judge

CLIENTS = 64
#: What a client rests after an answer: a steady load, not the most that the machine can take.
PAUSE_SECONDS = 0.05
#: Undisturbed load before and after the fault.
CALM_SECONDS = 1.0
REFUSED = "503: "


@dataclass(frozen=True)
class Faced:
    """A line of the table: what the clients saw of a fault."""

    fault: str
    sent: int
    right: int
    #: Wrong results, and results of a version that had been replaced.
    wrong: int
    #: 503: the client is told to come again.
    refused: int
    #: Everything else that is no right answer.
    failed: int
    #: The longest that a client waited for a right answer, and for a refusal.
    worst_seconds: float
    worst_refusal_seconds: float
    about: str
    #: The first ones that were wrong or failed, for a failed test's message.
    bad: tuple[str, ...] = ()

    def __str__(self) -> str:
        counts = f"{self.sent} sent, {self.right} right, {self.wrong} wrong, {self.refused} refused"
        worst = f"{self.failed} failed, worst {self.worst_seconds:.2f} s (refusals {self.worst_refusal_seconds:.2f} s)"
        return "\n".join([f"{self.fault}: {counts}, {worst}; {self.about}", *self.bad])


def face(cluster: Cluster, fault: Fault, clients: int = CLIENTS, pause_seconds: float = PAUSE_SECONDS) -> Faced:
    """Have the fault happen under load; what the clients saw.

    Raises:
        AssertionError: the cluster did not get well, or the fault's own promise was not kept.
    """
    try:
        fault.prepare(cluster)
        load = Load(cluster.urls, bodies(), clients, pause_seconds=pause_seconds)
        with PredictingClients(load) as running:
            cluster.wait(CALM_SECONDS)
            about = fault.inject(cluster)
            cluster.wait_well()
            cluster.wait(CALM_SECONDS)
    finally:
        fault.clear_up(cluster)
    return _faced(fault, cluster, running.predictions, about)


def _faced(fault: Fault, cluster: Cluster, predictions: Sequence[Prediction], about: str) -> Faced:
    verdict = judge(predictions, cluster.switches.done, cluster.switches.own_answers)
    refused = [each for each in verdict.failed if each.failure.startswith(REFUSED)]
    failed = [each for each in verdict.failed if not each.failure.startswith(REFUSED)]
    wrong = [*verdict.wrong, *verdict.stale]
    answered = [each for each in predictions if each.made is not None]
    return Faced(
        fault.name,
        len(predictions),
        verdict.right,
        len(wrong),
        len(refused),
        len(failed),
        _worst(answered),
        _worst(refused),
        about,
        tuple(str(each) for each in [*wrong[:5], *failed[:5]]),
    )


def _worst(predictions: Sequence[Prediction]) -> float:
    return max((each.received - each.sent for each in predictions), default=0.0)
