"""A full disk where the gateway keeps its data, SQLite's file among them."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

from inference.client.http_client import ClientError
from tests.chaos.cluster import Cluster
from tests.chaos.fault import Fault
from tests.support.uploads import uploads

NO_ROOM = 507
ANSWER_SECONDS = 30.0
#: The gateway's command, on a file system of its own in a namespace of its own, with a copy of what there is.
SCRIPT = """
set -e
mount -t tmpfs -o size=48m tmpfs "$2"
cp -a "$1/." "$2"
mount --bind "$2" "$1"
shift 2
exec "$@"
"""


def namespaces_are_allowed() -> bool:
    """Whether this user may mount a file system that only its own processes see."""
    unshare = shutil.which("unshare")
    return unshare is not None and subprocess.run([unshare, "-rm", "true"], check=False).returncode == 0


class FullDisk(Fault):
    """The disk of the gateway's data is full for some seconds, while somebody uploads."""

    def __init__(self, seconds: float = 10.0) -> None:
        self.name = f"the data directory's disk full for {seconds:g} s"
        self._seconds = seconds
        self._argv: list[str] = []

    def prepare(self, cluster: Cluster) -> None:
        assert namespaces_are_allowed(), "no namespaces"
        gateway, data = cluster.system.gateway, Path(cluster.system.environment["PIPELINE_DATA_DIR"])
        disk = cluster.system.directory / "disk"
        disk.mkdir(exist_ok=True)
        self._argv = gateway.argv
        gateway.stop()
        gateway.argv = ["unshare", "-rm", "sh", "-c", SCRIPT, "sh", str(data), str(disk), *self._argv]
        gateway.start()
        cluster.wait_well()

    def inject(self, cluster: Cluster) -> str:
        data = Path(f"/proc/{cluster.system.gateway.pid}/root{cluster.system.environment['PIPELINE_DATA_DIR']}")
        files = set(data.rglob("*"))
        filler = data / "filler"
        began = time.monotonic()
        _fill(filler)
        try:
            said, answered = _upload(cluster)
            while time.monotonic() < began + self._seconds:
                assert cluster.system.predicts(), "predictions go on"
                cluster.wait(0.5)
            assert set(data.rglob("*")) - {filler} <= files | set(data.rglob("*-wal")) | set(data.rglob("*-shm"))
        finally:
            filler.unlink()
        cluster.wait_until(lambda: _upload(cluster)[0] == "200", 60.0, "an upload is taken again")
        return f"an upload meanwhile: {said} after {answered:.1f} s, and taken when there was room"

    def clear_up(self, cluster: Cluster) -> None:
        if not self._argv:
            return
        gateway = cluster.system.gateway
        gateway.stop()
        gateway.argv, self._argv = self._argv, []
        gateway.start()
        cluster.wait_well()
        # What was stored on that disk has gone with it.
        assert cluster.switches.upload(cluster.system.client, uploads(1)[0])["status"] is True


def _fill(file: Path) -> None:
    """Write until there is no room, the last bytes among it."""
    with file.open("wb", buffering=0) as opened:
        for size in (1024**2, 4096, 1):
            try:
                while True:
                    opened.write(bytes(size))
            except OSError:
                continue


def _upload(cluster: Cluster) -> tuple[str, float]:
    began = time.monotonic()
    try:
        answer = cluster.switches.upload(cluster.system.client, uploads(2)[1])
    except ClientError as error:
        if error.status_code != NO_ROOM:
            raise
        return str(NO_ROOM), time.monotonic() - began
    assert answer["status"] is True, answer
    return "200", time.monotonic() - began
