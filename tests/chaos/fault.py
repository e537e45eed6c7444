"""What a fault is: something that goes wrong with a cluster while clients predict."""

from __future__ import annotations

from tests.chaos.cluster import Cluster


class Fault:
    """One thing that goes wrong; a subclass says what, and a file or a class each is enough."""

    #: What stands in the table.
    name = ""
    #: Whether requests may fail: those whose connections end with the process that they are to.
    may_fail = False

    def prepare(self, cluster: Cluster) -> None:
        """Before the clients start: what the fault needs beside the cluster. May change `cluster.urls`."""

    def inject(self, cluster: Cluster) -> str:
        """While the clients run: break it, mend it, and return when all is well again.

        Returns what the fault is about, for the table: `noticed after 3.1 s, back after 0.9 s`. Wait by
        `cluster.wait` and `cluster.wait_until` alone: they restart workers that have died.
        """
        raise NotImplementedError

    def clear_up(self, cluster: Cluster) -> None:
        """After the clients have stopped, and also when something failed."""
