"""RabbitMQ's own command line, for a private node."""

from __future__ import annotations

import subprocess

import psutil

from inference.supervision.rabbitmq import PrivateNode, server_script

SECONDS = 60.0


def rabbitmqctl(node: PrivateNode, *arguments: str) -> str:
    """Run `rabbitmqctl` on a running node; what it printed.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    script = server_script()
    assert script is not None
    # The node's cookie and port mapper are named in its environment, which RabbitMQ has filled up: only ours is taken.
    environment = {
        name: value
        for name, value in psutil.Process(node.pid).environ().items()
        if not name.startswith("RABBITMQ_") or name == "RABBITMQ_NODENAME"
    }
    return subprocess.run(
        [str(script.with_name("rabbitmqctl")), "--quiet", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
    ).stdout
