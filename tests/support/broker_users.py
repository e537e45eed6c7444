"""RabbitMQ users with the least rights that gateways, workers and clients need, as docs/security.md grants them."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from pathlib import Path

#: By user: what its rights to configure, write and read match. docs/security.md has the same lines.
LEAST_RIGHTS = {
    "gateway": (
        r"^(predict|supply|pipeline|[0-9a-f]{32}|gateways|celery\.pidbox|replies\.[0-9a-f.]+)$",
        r"^(amq\.default|gateways|celery\.pidbox|replies\.[0-9a-f.]+)$",
        r"^(supply|pipeline|gateways|replies\.[0-9a-f.]+)$",
    ),
    "worker": (
        r"^(predict|quarantine|gateways|supply\.[0-9a-f]+|celery\.pidbox|.+\.celery\.pidbox)$",
        r"^(amq\.default|gateways|.+\.celery\.pidbox)$",
        r"^(predict|supply\.[0-9a-f]+|celery\.pidbox|.+\.celery\.pidbox)$",
    ),
    "client": (r"^(pipeline|default|[0-9a-f-]{32,36})$", r"^amq\.default$", r"^[0-9a-f-]{32,36}$"),
}
PASSWORD = "a test's password"
ADMINISTRATOR = "guest"


def write_definitions(file: Path) -> None:
    """Write what a RabbitMQ node loads with `load_definitions`: these users, and its own usual one."""
    rights = {**LEAST_RIGHTS, ADMINISTRATOR: (".*", ".*", ".*")}
    passwords = {name: ADMINISTRATOR if name == ADMINISTRATOR else PASSWORD for name in rights}
    definitions = {
        "vhosts": [{"name": "/"}],
        "users": [
            {"name": name, "password_hash": _hash(password), "tags": "", "limits": {}}
            for name, password in passwords.items()
        ],
        "permissions": [
            {"user": name, "vhost": "/", "configure": configure, "write": write, "read": read}
            for name, (configure, write, read) in rights.items()
        ],
    }
    file.write_text(json.dumps(definitions))


def _hash(password: str) -> str:
    salt = os.urandom(4)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()
