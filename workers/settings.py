"""What a process of Pipeline is told by its environment: read once, strictly, by gateway and worker alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from keyword import iskeyword
from pathlib import Path

from environs import Env, EnvError, validate

from workers.broker_address import read_broker_address

ROOT = Path(__file__).resolve().parent.parent
EMBEDDED_BROKER_URL = "memory://localhost//"
MESSAGE_KEY_CHARACTERS_MIN = 16


def environment() -> Env:
    """The process's environment, completed by the file `.env` beside `manage.py` when there is one."""
    env = Env()
    env.read_env(str(ROOT / ".env"), recurse=False, override=False)
    return env


@dataclass(frozen=True)
class Settings:
    """The settings that every process shares; a gateway has more in `gateway_site.settings`."""

    broker_url: str
    request_timeout_seconds: float
    load_timeout_seconds: float
    status_timeout_seconds: float
    worker_concurrency: int
    worker_tensorflow_threads: int
    worker_memory_bytes: int
    worker_max_network_bytes: int
    log_level: str
    log_format: str
    task_events: bool
    #: The first signs messages on the broker, all of them verify; none: nothing is signed. Not to be shown.
    message_keys: tuple[str, ...] = field(default=(), repr=False)
    #: Modules of the operator's own layers and models, which a worker imports.
    modules: tuple[str, ...] = ()

    @property
    def embedded(self) -> bool:
        """Whether gateway and worker share one process and an in-process broker."""
        return self.broker_url.startswith("memory:")


def _broker_url(env: Env) -> str:
    """What is set, if it is an address with which a connection can be made, and is verified if it is encrypted."""
    url = env.str("BROKER_URL", "")
    try:
        read_broker_address(url)
    except ValueError as error:
        raise EnvError(f'Environment variable "BROKER_URL" {error}') from None
    return EMBEDDED_BROKER_URL if url in ("", "memory://") else url


def _message_keys(env: Env) -> tuple[str, ...]:
    """The keys, if each is long enough not to be guessed; an error does not show them."""
    keys = tuple(key.strip() for key in env.str("PIPELINE_MESSAGE_KEY", "").split(",") if key.strip())
    if any(len(key) < MESSAGE_KEY_CHARACTERS_MIN for key in keys):
        raise EnvError(
            f'Environment variable "PIPELINE_MESSAGE_KEY" has a key of fewer than {MESSAGE_KEY_CHARACTERS_MIN} '
            "characters: make one with `openssl rand -hex 32`"
        )
    return keys


def _modules(env: Env) -> tuple[str, ...]:
    """The modules' names, if each is one that Python can import."""
    modules = tuple(each.strip() for each in env.str("PIPELINE_MODULES", "").split(",") if each.strip())
    for module in modules:
        if not all(part.isidentifier() and not iskeyword(part) for part in module.split(".")):
            raise EnvError(
                f'Environment variable "PIPELINE_MODULES" has {module!r}, which is no module\'s name: '
                "it takes names as Python imports them, such as team.layers, separated by commas"
            )
    return modules


@cache
def settings() -> Settings:
    """The settings of this process.

    Raises:
        environs.EnvError: a variable cannot be read; the message names it.
    """
    env = environment()
    positive = validate.Range(min=0, min_inclusive=False)
    seconds = validate.Range(min=0, max=86_400, min_inclusive=False)
    return Settings(
        broker_url=_broker_url(env),
        request_timeout_seconds=env.float("PIPELINE_REQUEST_TIMEOUT", 30.0, validate=seconds),
        load_timeout_seconds=env.float("PIPELINE_LOAD_TIMEOUT", 60.0, validate=seconds),
        status_timeout_seconds=env.float("PIPELINE_STATUS_TIMEOUT", 2.0, validate=seconds),
        worker_concurrency=env.int("PIPELINE_WORKER_CONCURRENCY", 2, validate=positive),
        worker_tensorflow_threads=env.int("PIPELINE_WORKER_TENSORFLOW_THREADS", 1, validate=positive),
        worker_memory_bytes=env.int("PIPELINE_WORKER_MEMORY", 1024**3, validate=positive),
        worker_max_network_bytes=env.int("PIPELINE_WORKER_MAX_NETWORK_BYTES", 2 * 1024**3, validate=positive),
        log_level=env.str("PIPELINE_LOG_LEVEL", "INFO", validate=validate.OneOf(["DEBUG", "INFO", "WARNING", "ERROR"])),
        log_format=env.str("PIPELINE_LOG_FORMAT", "text", validate=validate.OneOf(["text", "json"])),
        task_events=env.bool("PIPELINE_TASK_EVENTS", False),
        message_keys=_message_keys(env),
        modules=_modules(env),
    )
