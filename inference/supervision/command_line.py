"""The command line of `serve` and `cluster`: from flags to an exit status, with no traceback in between.

It needs none of Django's settings, so that a folder that cannot be written, or a variable that cannot be read, is said
in one line before anything starts. `manage.py serve` and `manage.py cluster` lead here as well.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from environs import EnvError

from inference.supervision import cluster, data_directory, options, serve
from inference.supervision.errors import StopRequestedError, SupervisionError
from inference.supervision.progress import Progress
from inference.supervision.supervisor import Supervisor

SERVE_HELP = (
    "Runs the whole service on this machine: gateway and worker in one process, SQLite, no RabbitMQ, no root. "
    "With BROKER_URL=amqp://… it runs the gateway alone, for workers elsewhere. Ctrl-C stops it."
)
CLUSTER_HELP = (
    "Runs the distributed service on this machine: a private RabbitMQ node, the gateway, and N workers, each started "
    "again when it dies. With BROKER_URL=amqp://… it uses that broker and starts none. Ctrl-C stops everything."
)


def run(command: str, flags: Mapping[str, Any]) -> int:
    """Run `serve` or `cluster` until a signal or a failure ends it; returns the exit status."""
    progress = Progress(sys.stdout)
    supervisor = Supervisor(progress.say)
    try:
        with ExitStack() as until_all_have_stopped, supervisor.signals():
            try:
                read = options.read_serve_options if command == "serve" else options.read_cluster_options
                said = read(flags)
                until_all_have_stopped.enter_context(data_directory.held(said.data_dir))
                if isinstance(said, options.ClusterOptions):
                    cluster.run(said, progress, supervisor)
                else:
                    serve.run(said, progress, supervisor)
            except StopRequestedError:
                progress.say("stopping …")
                raise
            except (SupervisionError, EnvError) as error:
                sys.stdout.flush()
                sys.stderr.write(f"{command}: {str(error).rstrip()}\n")
                return 1
    except StopRequestedError:
        progress.say("stopped")
    return 0


def main(arguments: Sequence[str]) -> int:
    """`python -m inference.supervision serve|cluster …`: what the scripts run."""
    parser = ArgumentParser(prog="python -m inference.supervision")
    commands = parser.add_subparsers(dest="command", required=True)
    options.add_serve_flags(
        commands.add_parser("serve", prog="scripts/serve", description=SERVE_HELP, help="the service in one process")
    )
    options.add_cluster_flags(
        commands.add_parser(
            "cluster", prog="scripts/cluster", description=CLUSTER_HELP, help="with RabbitMQ and workers"
        )
    )
    flags = vars(parser.parse_args(arguments))
    return run(flags.pop("command"), flags)
