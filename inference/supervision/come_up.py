"""What `serve` and `cluster` have in common: a checked start, and the way to the first answer."""

from __future__ import annotations

from inference.client.http_client import PipelineClient
from inference.supervision import first_answer
from inference.supervision.addresses import Bind
from inference.supervision.errors import BindError, StartError, log_tail
from inference.supervision.options import Options
from inference.supervision.processes import Child
from inference.supervision.progress import Progress
from inference.supervision.supervisor import Supervisor
from workers.settings import ROOT

START_SECONDS = 120.0


def claim(options: Options) -> Bind:
    """Make sure that the address is free; returns it.

    Raises:
        BindError: it is not.
    """
    try:
        return options.bind.claim()
    except BindError as error:
        raise BindError(f"{error}; choose another address with --bind HOST:PORT (or PIPELINE_BIND)") from error


def wait_for_gateway(
    client: PipelineClient, workers: int, supervisor: Supervisor, progress: Progress, gateway: Child
) -> int:
    """Wait until gateway and workers answer; returns how many workers there are.

    Raises:
        StartError: a process ended, or nothing answers within 120 s; the message names the log and has its end.
    """
    starting = "starting the gateway" + (f" and {workers} worker{'s' if workers > 1 else ''}" if workers else "")
    with progress.step(starting) as tick:

        def look() -> None:
            tick()
            supervisor.require_all_alive()

        try:
            return first_answer.wait_until_answering(client, workers, START_SECONDS, look)
        except StartError as error:
            if str(gateway.log) in str(error):
                raise
            raise StartError(
                f"{error}; the log {gateway.log} ends with:\n{log_tail(gateway.log, start=gateway.log_start)}"
            ) from error


def make_first_answer(client: PipelineClient, supervisor: Supervisor, progress: Progress) -> None:
    """Load the first sample network when none is active, and wait until a prediction answers.

    Raises:
        StartError: that did not work.
    """
    with progress.step("asking for a prediction") as tick:

        def look() -> None:
            tick()
            supervisor.require_all_alive()

        loaded = first_answer.load_first_network(client, ROOT / "data", START_SECONDS, look)
        nn_id = first_answer.self_test(client, START_SECONDS, look)
    if loaded:
        progress.say(f"no network was active: loaded the sample {loaded}")
    elif nn_id:
        progress.say(f"the default network is {nn_id}")
    else:
        progress.say("the default network takes other rows than two numbers; send it rows of its own shape")
