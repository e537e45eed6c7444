"""The programs of a Pipeline on one machine: the command line of each, its environment and its log."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from inference.access.keys import START_TOKEN, digest_of
from inference.supervision.addresses import Bind
from inference.supervision.errors import StartError
from inference.supervision.processes import Child
from workers.settings import ROOT, settings

GATEWAY_GRACE_SECONDS = 10.0  # beyond the time a request may take
WORKER_STOP_SECONDS = 20.0


def environment(data_dir: Path, bind: Bind, broker_url: str | None = None, key: str = "") -> dict[str, str]:
    """The environment of the programs: this process's own, and what the command's flags say.

    `key` is that of the token with which this process asks the gateway.
    """
    said = {
        "PIPELINE_DATA_DIR": str(data_dir),
        "PIPELINE_BIND": str(bind),
        "PYTHONUNBUFFERED": "1",
        START_TOKEN: digest_of(key) if key else "",
    }
    return {**os.environ, **said, **({"BROKER_URL": broker_url} if broker_url else {})}


def gateway(data_dir: Path, env: Mapping[str, str]) -> Child:
    """gunicorn with the gateway; when the broker is embedded, a worker runs inside it."""
    return Child(
        "gateway",
        [sys.executable, "-m", "gunicorn", "-c", "gateway_site/gunicorn.py", "gateway_site.asgi"],
        log=data_dir / "log" / "gateway.log",
        env=env,
        cwd=ROOT,
        stop_seconds=settings().request_timeout_seconds + GATEWAY_GRACE_SECONDS,
        orphan_signal=signal.SIGTERM,  # gunicorn then ends its own children
    )


def worker(number: int, data_dir: Path, env: Mapping[str, str]) -> Child:
    """A Celery worker: the plain command that a worker host runs as well."""
    return Child(
        f"worker-{number}",
        [sys.executable, "-m", "celery", "-A", "workers", "worker", "--loglevel=INFO"],
        log=data_dir / "log" / f"worker-{number}.log",
        env=env,
        cwd=ROOT,
        stop_seconds=WORKER_STOP_SECONDS,
    )


def migrate(env: Mapping[str, str]) -> None:
    """Bring the database up to date, in a process that reads its settings from `env`.

    Raises:
        StartError: it failed; the message is the last line of what it said.
    """
    _run([sys.executable, str(ROOT / "manage.py"), "migrate", "--no-input", "--verbosity", "0"], env, "the database")


def install_rabbitmq() -> None:
    """Install RabbitMQ with apt, its output shown.

    Raises:
        StartError: this is not root, or it failed.
    """
    if os.geteuid() != 0:
        raise StartError("--install needs root: run it with sudo, or ask an administrator for rabbitmq-server")
    if subprocess.run([str(ROOT / "scripts" / "_apt_install"), "rabbitmq-server"], check=False).returncode != 0:
        raise StartError("apt-get could not install rabbitmq-server; what it said stands above")


def _run(argv: list[str], env: Mapping[str, str], what: str) -> None:
    done = subprocess.run(argv, env=dict(env), cwd=ROOT, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or f"exit status {done.returncode}").splitlines()
        raise StartError(f"cannot prepare {what}: {said[-1]}")
