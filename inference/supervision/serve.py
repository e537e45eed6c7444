"""`serve`: gateway and worker in one process on the embedded broker; or, with BROKER_URL set, the gateway alone."""

from __future__ import annotations

from inference.access.keys import new_key
from inference.client.http_client import PipelineClient
from inference.supervision import come_up, first_answer, programs
from inference.supervision.options import Options
from inference.supervision.progress import Progress
from inference.supervision.supervisor import Supervisor
from workers.settings import ROOT


def run(options: Options, progress: Progress, supervisor: Supervisor) -> None:
    """Start the service, say how to use it, and watch it until a signal ends this.

    Raises:
        SupervisionError: it cannot start.
    """
    bind = come_up.claim(options)
    key = new_key()
    env = programs.environment(options.data_dir, bind, options.broker_url, key)
    with progress.step("preparing the database"):
        programs.migrate(env)
    gateway = programs.gateway(options.data_dir, env)
    supervisor.start(gateway)
    client = PipelineClient(bind.url, token=key)
    workers_needed = 0 if options.broker_url else 1
    workers = come_up.wait_for_gateway(client, workers_needed, supervisor, progress, gateway)
    if workers:
        come_up.make_first_answer(client, supervisor, progress)
        progress.say(
            first_answer.banner(bind.url, options.data_dir, ROOT, tokens=options.tokens_required, grpc=options.grpc)
        )
    else:
        _say_what_is_missing(client, options, progress)
    supervisor.watch()


def _say_what_is_missing(client: PipelineClient, options: Options, progress: Progress) -> None:
    refusal = first_answer.refusal(client)
    if refusal:
        progress.say(
            first_answer.banner(
                client.url,
                options.data_dir,
                ROOT,
                "The gateway runs at {url}, without its broker yet",
                tokens=options.tokens_required,
                grpc=options.grpc,
            )
        )
        broker = first_answer.without_password(str(options.broker_url))
        progress.say(f"The broker at {broker} cannot be reached; the gateway keeps trying. Now: {refusal}\n")
        return
    progress.say(
        first_answer.banner(client.url, options.data_dir, ROOT, tokens=options.tokens_required, grpc=options.grpc)
    )
    progress.say(
        "No worker is connected to the broker yet. On this host or another, start one with the same BROKER_URL:"
    )
    progress.say(f"  {first_answer.worker_hint(ROOT)}\n")
