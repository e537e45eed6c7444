"""What a deployment lacks: `manage.py check --deploy` tells it, with what to do about it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register  # noqa: A004 - Django's name
from django.db import connection

from inference.access.requirement import Address, Requirement, is_loopback
from workers.settings import settings as shared_settings


@register(Tags.security, deploy=True)
def check_deployment(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """All of it."""
    return [*_hosts(), *_tokens(), *_transport(), *_several_hosts(), *_broker()]


def _hosts() -> Iterable[CheckMessage]:
    if "*" in settings.ALLOWED_HOSTS:
        yield _warning(1, "Requests may be addressed to any host name.", "Set PIPELINE_ALLOWED_HOSTS to the gateway's.")


def _tokens() -> Iterable[CheckMessage]:
    said, binds = Requirement.read(), [each for each in (settings.PIPELINE_BIND, settings.PIPELINE_GRPC_BIND) if each]
    required = said.required([_bound_to(bind) for bind in binds])
    beyond = [bind for bind in binds if not is_loopback(_bound_to(bind))]
    if beyond and not required:
        yield _warning(
            2,
            f"Everybody who reaches {beyond[0]} may ask for predictions and change weights.",
            "Leave PIPELINE_REQUIRE_TOKEN=false and PIPELINE_ALLOW_OPEN=true out, and make tokens.",
        )
    elif not required:
        yield _warning(
            3,
            "On loopback everybody is let in: all users of this machine, and whomever a proxy on it brings.",
            "Set PIPELINE_REQUIRE_TOKEN=true, and make tokens with `manage.py create_token`.",
        )


def _transport() -> Iterable[CheckMessage]:
    if not settings.PIPELINE_HTTPS:
        yield _warning(
            4,
            "Tokens, passwords and cookies can be read on their way.",
            "Have a proxy in front that speaks https, and set PIPELINE_HTTPS=true.",
        )
    elif not settings.PIPELINE_PROXIES:
        yield _warning(
            9,
            "All clients of the proxy that speaks https count as one address, which one of them can exhaust.",
            "Set PIPELINE_PROXIES to the number of proxies in front.",
        )


def _several_hosts() -> Iterable[CheckMessage]:
    sqlite = connection.vendor == "sqlite"
    broker = shared_settings().broker_url
    if sqlite and not shared_settings().embedded and not _is_here(broker):
        yield _warning(
            5,
            "The broker is shared, and SQLite can only be used by gateways of one host.",
            "Set DATABASE_URL to a PostgreSQL before there is a second gateway host.",
        )
    if not sqlite and not os.environ.get("PIPELINE_SECRET_KEY"):
        yield _warning(
            6,
            "The key that signs sessions is kept on this host, and gateways of several hosts must share one.",
            "Set PIPELINE_SECRET_KEY to 50 random characters or more, the same on each.",
        )


def _broker() -> Iterable[CheckMessage]:
    said = shared_settings()
    if said.embedded or _is_here(said.broker_url):
        return
    if not said.message_keys:
        yield _warning(
            7,
            "Whoever can send to the broker is taken for a gateway or a worker.",
            "Set PIPELINE_MESSAGE_KEY to the same for every gateway and worker; make it with `openssl rand -hex 32`.",
        )
    if not said.broker_url.startswith("amqps:"):  # of several addresses, all are encrypted or none is
        yield _warning(
            8,
            "The broker's password, and all requests and answers, can be read on their way to it.",
            "Set BROKER_URL to an amqps:// address.",
        )


def _warning(number: int, message: str, hint: str) -> CheckMessage:
    return Warning(message, hint=hint, id=f"pipeline.W{number:03}")


def _bound_to(bind: str) -> Address:
    """As gunicorn reads it; what is no host and port is not loopback."""
    host, colon, port = bind.rpartition(":")
    return (host.removeprefix("[").removesuffix("]"), port) if colon and port.isdigit() else bind


def _is_here(url: str) -> bool:
    return all(is_loopback((urlsplit(each).hostname or "localhost", 0)) for each in url.split(";"))
