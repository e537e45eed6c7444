"""A certificate authority of a test's own, made by the `openssl` command, and certificates that it signs."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Certificate:
    """A certificate's file, and its key's."""

    file: Path
    key: Path


class Authority:
    """An authority that nobody knows who is not told; its files are in `directory`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        made = self._request("authority", "-x509", "-days", "2", "-subj", "/CN=A test's own authority")
        self.file, self._key = made.file, made.key

    def sign(self, name: str, alternative_names: str) -> Certificate:
        """A certificate for a server, or a client, of these names, such as `DNS:localhost,IP:127.0.0.1`."""
        self._request(name, "-x509", "-days", "2", "-subj", f"/CN={name}", "-CA", str(self.file), "-CAkey",
                      str(self._key), "-addext", f"subjectAltName={alternative_names}",
                      "-addext", "basicConstraints=critical,CA:FALSE")  # fmt: skip
        return Certificate(self.directory / f"{name}.pem", self.directory / f"{name}.key")

    def _request(self, name: str, *arguments: str) -> Certificate:
        made = Certificate(self.directory / f"{name}.pem", self.directory / f"{name}.key")
        command = ["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-keyout", str(made.key), "-out", str(made.file)]
        subprocess.run([*command, *arguments], check=True, capture_output=True, timeout=60)
        return made
