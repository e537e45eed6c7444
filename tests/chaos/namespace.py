"""A network namespace beside this one, joined to it by a virtual cable whose packets can be made to get lost.

It needs a kernel that lets us have namespaces: as root, or in a user namespace such as `unshare --map-root-user`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from types import TracebackType

HERE, THERE = "10.77.0.1", "10.77.0.2"
HERE_CABLE, THERE_CABLE = "chaos0", "chaos1"
#: An address that no card has: a packet to it is dropped where it arrives, and nobody is told.
NOBODY = "02:00:00:00:00:99"
#: Runs a command in a namespace without any network but its own loopback, where it may make more.
ALONE = ("unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")


def possible() -> bool:
    """Whether this machine lets us have one."""
    try:
        done = subprocess.run([*ALONE, "true"], capture_output=True, timeout=10, check=False)
    except OSError:
        return False
    return done.returncode == 0


class Namespace:
    """Exists while the block runs. Our end of the cable has the address HERE, its end THERE."""

    def __init__(self) -> None:
        self._holder: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Namespace:
        # It says when it is in the namespace, and ends with its standard input.
        hold = "import sys; print(flush=True); sys.stdin.read()"
        command = ["unshare", "--net", sys.executable, "-I", "-S", "-c", hold]
        self._holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._holder.stdout is not None
        self._holder.stdout.readline()
        _ip("link", "add", HERE_CABLE, "type", "veth", "peer", "name", THERE_CABLE, "netns", str(self._holder.pid))
        _ip("address", "add", f"{HERE}/30", "dev", HERE_CABLE)
        _ip("link", "set", HERE_CABLE, "up")
        self._ip_there("address", "add", f"{THERE}/30", "dev", THERE_CABLE)
        for name in ("lo", THERE_CABLE):
            self._ip_there("link", "set", name, "up")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._holder is not None
        self._holder.communicate(timeout=10)  # the cable goes with its namespace

    def inside(self, command: Sequence[str]) -> list[str]:
        """The command line that runs a command in the namespace."""
        assert self._holder is not None
        return ["nsenter", f"--net=/proc/{self._holder.pid}/ns/net", *command]

    def cut(self) -> None:
        """From now on every packet gets lost, both ways."""
        _ip("neighbour", "replace", THERE, "lladdr", NOBODY, "dev", HERE_CABLE, "nud", "permanent")
        self._ip_there("neighbour", "replace", HERE, "lladdr", NOBODY, "dev", THERE_CABLE, "nud", "permanent")

    def mend(self) -> None:
        """Packets arrive again."""
        _ip("neighbour", "delete", THERE, "dev", HERE_CABLE)
        self._ip_there("neighbour", "delete", HERE, "dev", THERE_CABLE)

    def _ip_there(self, *arguments: str) -> None:
        _run(self.inside(["ip", *arguments]))


def _ip(*arguments: str) -> None:
    _run(["ip", *arguments])


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, timeout=10)
