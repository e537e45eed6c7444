"""The Celery client that programs in JavaScript have, run by node; installed when a test first asks for it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.requirement import require
from workers.settings import ROOT

SOURCES = ROOT / "tests" / "support" / "celery_node"
INSTALLED = ROOT / "var" / "celery_node"
INSTALL_SECONDS = 300.0


def ask_by_node(broker_url: str, queue: str, asked: list[tuple[list[Any], dict[str, Any]]]) -> list[dict[str, Any]]:
    """What celery-node gets for tasks with these arguments, by place and by name, all sent at once."""
    # RabbitMQ 4.3 takes no smaller frames than this, and amqplib by itself asks for 4096 bytes.
    command = ["node", str(SOURCES / "ask.js"), f"{broker_url}?frameMax=131072", queue, json.dumps(asked)]
    environment = os.environ | {"NODE_PATH": str(_installed() / "node_modules")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@cache
def _installed() -> Path:
    require(shutil.which("npm") is not None, "npm")
    lock = (SOURCES / "package-lock.json").read_bytes()
    copied = INSTALLED / "package-lock.json"
    if not (INSTALLED / "node_modules").exists() or not copied.exists() or copied.read_bytes() != lock:
        INSTALLED.mkdir(parents=True, exist_ok=True)
        shutil.copy(SOURCES / "package.json", INSTALLED)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        copied.write_bytes(lock)
        done = subprocess.run(
            command, cwd=INSTALLED, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
        )
        if done.returncode:
            copied.unlink()
        assert done.returncode == 0, done.stderr
    return INSTALLED
