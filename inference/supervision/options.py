"""What `serve` and `cluster` are told: flags first, then the environment and `.env`, then a default."""

from __future__ import annotations

import os
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from environs import validate

from inference.access.requirement import OpenBindError, Requirement
from inference.supervision import data_directory
from inference.supervision.addresses import Bind
from inference.supervision.errors import BindError
from workers.settings import ROOT, environment, settings

DEFAULT_BIND = "127.0.0.1:54321"
DEFAULT_WORKERS = 2
DEFAULT_AMQP_PORT = 25679
DEFAULT_CLIENT_TIMEOUT_SECONDS = 10.0
#: A gateway process with a core of its own keeps workers and broker busy; two make smaller batches than one,
#: which cost the workers as much each. So there are half as many as cores, for the other half to compute.
MOST_DEFAULT_PROCESSES = 4


@dataclass(frozen=True)
class Options:
    """What both commands need to know. `broker_url` is None when no broker of the user's own is set."""

    bind: Bind
    data_dir: Path
    broker_url: str | None
    tokens_required: bool
    #: Where gRPC is answered, if it is.
    grpc: Bind | None


@dataclass(frozen=True)
class ClusterOptions(Options):
    """What `cluster` needs to know beside that."""

    workers: int
    amqp_port: int
    install: bool


@dataclass(frozen=True)
class GatewayOptions:
    """What a gateway's gunicorn needs to know; it reads them itself, from the environment alone."""

    processes: int
    client_timeout_seconds: float


def add_serve_flags(parser: ArgumentParser) -> None:
    """The flags of `serve`."""
    parser.add_argument(
        "--bind",
        metavar="HOST:PORT",
        help=f"where the gateway listens; port 0 takes a free one (environment: PIPELINE_BIND; default {DEFAULT_BIND})",
    )
    parser.add_argument(
        "--data-dir",
        metavar="FOLDER",
        help="where database, uploads and logs are kept "
        f"(environment: PIPELINE_DATA_DIR; default: {data_directory.DEFAULT} in the repository)",
    )


def add_cluster_flags(parser: ArgumentParser) -> None:
    """The flags of `cluster`."""
    parser.add_argument(
        "--workers",
        type=_at_least_one,
        metavar="N",
        help=f"how many workers to start (environment: PIPELINE_WORKERS; default {DEFAULT_WORKERS})",
    )
    add_serve_flags(parser)
    parser.add_argument(
        "--amqp-port",
        type=_port,
        metavar="PORT",
        help="the private RabbitMQ node's port on 127.0.0.1; 0 takes a free one "
        f"(environment: PIPELINE_AMQP_PORT; default {DEFAULT_AMQP_PORT})",
    )
    parser.add_argument(
        "--install", action="store_true", help="install rabbitmq-server with apt-get when it is missing (needs root)"
    )


def read_serve_options(flags: Mapping[str, Any]) -> Options:
    """The options of `serve`.

    Raises:
        environs.EnvError: a variable cannot be read; the message names it.
        BindError: the address cannot be read, or would be open to everybody.
    """
    env = environment()
    read_gateway_options()  # what gunicorn could not read is said now, not in its log
    bind = Bind.parse(flags.get("bind") or env.str("PIPELINE_BIND", "") or DEFAULT_BIND)
    return Options(
        bind=bind,
        data_dir=data_directory.choose(flags.get("data_dir"), env.str("PIPELINE_DATA_DIR", ""), ROOT),
        broker_url=None if settings().embedded else settings().broker_url,
        tokens_required=_tokens_required(bind),
        grpc=_grpc_bind(),
    )


def _tokens_required(bind: Bind) -> bool:
    addresses, said = [(each.host, each.port) for each in (bind, _grpc_bind()) if each], Requirement.read()
    try:
        said.refuse_open(addresses)
    except OpenBindError as error:
        raise BindError(str(error)) from error
    return said.required(addresses)


def _grpc_bind() -> Bind | None:
    text = environment().str("PIPELINE_GRPC_BIND", "")
    try:
        return Bind.parse_whole(text) if text else None
    except BindError as error:
        raise BindError(f"PIPELINE_GRPC_BIND: {error}") from error


def read_cluster_options(flags: Mapping[str, Any]) -> ClusterOptions:
    """The options of `cluster`; raises as `read_serve_options` does."""
    env = environment()
    common = read_serve_options(flags)
    workers, amqp_port = flags.get("workers"), flags.get("amqp_port")
    return ClusterOptions(
        bind=common.bind,
        data_dir=common.data_dir,
        broker_url=common.broker_url,
        tokens_required=common.tokens_required,
        grpc=common.grpc,
        workers=env.int("PIPELINE_WORKERS", DEFAULT_WORKERS, validate=validate.Range(min=1))
        if workers is None
        else workers,
        amqp_port=env.int("PIPELINE_AMQP_PORT", DEFAULT_AMQP_PORT, validate=validate.Range(min=0, max=65535))
        if amqp_port is None
        else amqp_port,
        install=bool(flags.get("install")),
    )


def read_gateway_options() -> GatewayOptions:
    """The options of a gateway host.

    Raises:
        environs.EnvError: a variable cannot be read; the message names it.
    """
    env = environment()
    return GatewayOptions(
        processes=env.int(
            "PIPELINE_GATEWAY_PROCESSES",
            default_processes(),
            validate=validate.Range(min=1),
        ),
        client_timeout_seconds=env.float(
            "PIPELINE_CLIENT_TIMEOUT", DEFAULT_CLIENT_TIMEOUT_SECONDS, validate=validate.Range(min=0.1, max=86_400)
        ),
    )


def default_processes() -> int:
    """How many gateway processes there are where nobody says so."""
    return max(1, min(MOST_DEFAULT_PROCESSES, (os.cpu_count() or 1) // 2))


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is no number of workers: 1 or more")
    return int(text)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise ArgumentTypeError(f"{text!r} is no port: 0 to 65535")
    return int(text)
