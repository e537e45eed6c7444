"""Three RabbitMQ nodes that are one broker, on this machine: each can be killed and come back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inference.supervision.addresses import LOOPBACK, free_ports
from inference.supervision.processes import Child
from inference.supervision.rabbitmq import PrivateNode, epmd_program
from tests.support.rabbitmqctl import rabbitmqctl

NODES = 3
COOKIE = "broker-cluster"
#: A virtual host whose queues are all replicated.
QUORUM_HOST = "quorum"


class ClusterNode(PrivateNode):
    """One of them: they share a port mapper and a cookie, and find each other by their names."""

    def __init__(self, directory: Path, epmd_port: int) -> None:
        super().__init__(directory)
        self._epmd_port = epmd_port

    def join(self, names: list[str]) -> None:
        """Be one of these nodes, from the first start on."""
        folder = self.directory / "conf.d"
        folder.mkdir(parents=True, exist_ok=True)
        lines = ["cluster_formation.peer_discovery_backend = rabbit_peer_discovery_classic_config"]
        lines += [f"cluster_formation.classic_config.nodes.{number} = {name}" for number, name in enumerate(names, 1)]
        (folder / "10-cluster.conf").write_text("\n".join(lines) + "\n")
        cookie = self.directory / "home" / ".erlang.cookie"
        cookie.parent.mkdir()
        cookie.write_text(COOKIE)
        cookie.chmod(0o400)

    def _environment(self, epmd_port: int, distribution_port: int) -> dict[str, str]:
        return super()._environment(epmd_port, distribution_port) | {"ERL_EPMD_PORT": str(self._epmd_port)}


class BrokerCluster:
    """The nodes, and their addresses in one text, as BROKER_URL has them."""

    def __init__(self, nodes: list[ClusterNode]) -> None:
        self.nodes = nodes

    def url(self, virtual_host: str = "/") -> str:
        """The addresses of all nodes."""
        return ";".join(f"amqp://guest:guest@{LOOPBACK}:{node.port}/{virtual_host}" for node in self.nodes)

    def start_all(self) -> None:
        """Have every node run, and answer."""
        for node in self.nodes:
            node.start()
        for node in self.nodes:
            node.wait_ready()
            rabbitmqctl(node, "await_online_nodes", str(len(self.nodes)))


@contextmanager
def running_cluster_of_brokers(directory: Path) -> Iterator[BrokerCluster]:
    """A cluster whose nodes all run, with QUORUM_HOST beside the usual virtual host; ended with the block."""
    epmd_port = free_ports(1)[0]
    epmd = Child(
        "epmd", [str(epmd_program()), "-port", str(epmd_port), "-address", LOOPBACK], log=directory / "epmd.log"
    )
    nodes = [ClusterNode(directory / f"node-{number}", epmd_port) for number in range(NODES)]
    for node in nodes:
        node.join([each.node_name for each in nodes])
    try:
        epmd.start()
        cluster = BrokerCluster(nodes)
        cluster.start_all()
        rabbitmqctl(nodes[0], "add_vhost", QUORUM_HOST, "--default-queue-type", "quorum")
        rabbitmqctl(nodes[0], "set_permissions", "-p", QUORUM_HOST, "guest", ".*", ".*", ".*")
        yield cluster
    finally:
        for node in nodes:
            node.stop()
        epmd.stop()
