"""`cluster`: the distributed system on one machine: a private RabbitMQ node, workers, and the gateway."""

from __future__ import annotations

from inference.access.keys import new_key
from inference.client.http_client import PipelineClient
from inference.supervision import come_up, first_answer, programs, rabbitmq
from inference.supervision.addresses import LOOPBACK, Bind
from inference.supervision.errors import BindError, StartError
from inference.supervision.options import ClusterOptions
from inference.supervision.progress import Progress
from inference.supervision.rabbitmq import PrivateNode
from inference.supervision.supervisor import Supervisor
from workers.settings import ROOT


def run(options: ClusterOptions, progress: Progress, supervisor: Supervisor) -> None:
    """Start broker, workers and gateway, say how to use them, and watch them until a signal ends this.

    Raises:
        SupervisionError: one of them cannot start.
    """
    bind = come_up.claim(options)
    node = None if options.broker_url else _private_node(options, progress)
    if node:
        supervisor.start(node)
    broker_url = node.url if node else str(options.broker_url)
    key = new_key()
    env = programs.environment(options.data_dir, bind, broker_url, key)
    with progress.step("preparing the database"):
        programs.migrate(env)
    if node:
        with progress.step("starting RabbitMQ") as tick:
            node.wait_ready(meanwhile=tick)
    supervisor.start(*(programs.worker(number, options.data_dir, env) for number in range(1, options.workers + 1)))
    gateway = programs.gateway(options.data_dir, env)
    supervisor.start(gateway)
    client = PipelineClient(bind.url, token=key)
    come_up.wait_for_gateway(client, options.workers, supervisor, progress, gateway)
    come_up.make_first_answer(client, supervisor, progress)
    progress.say(
        first_answer.banner(bind.url, options.data_dir, ROOT, tokens=options.tokens_required, grpc=options.grpc)
    )
    progress.say(f"one more worker, from another terminal{first_answer.same_key()}:")
    progress.say(f"  {first_answer.worker_hint(ROOT, node.url if node else '$BROKER_URL')}\n")
    supervisor.watch()


def _private_node(options: ClusterOptions, progress: Progress) -> PrivateNode:
    if not rabbitmq.installed():
        if not options.install:
            raise StartError(
                f"RabbitMQ is not installed: {rabbitmq.INSTALL_HINT} (or run this as root with --install); "
                "to use a broker elsewhere, set BROKER_URL=amqp://…"
            )
        progress.say("installing rabbitmq-server")
        programs.install_rabbitmq()
    try:
        port = Bind(LOOPBACK, options.amqp_port).claim().port
    except BindError as error:
        raise BindError(
            f"{error}; choose another port for RabbitMQ with --amqp-port PORT, 0 takes a free one"
        ) from error
    log = options.data_dir / "log" / "rabbitmq.log"
    return PrivateNode(options.data_dir / "rabbitmq", port, log=log)
