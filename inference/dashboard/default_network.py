"""The default network, its active version, and how the last switches ended."""

from __future__ import annotations

from dataclasses import dataclass

from inference.models import Activation, DefaultNetwork, Network, Version

SWITCHES_SHOWN = 6


@dataclass(frozen=True)
class DefaultNetworkState:
    """As the database has it; `latest` is the last activation of any network."""

    network: Network | None
    any_network: bool
    switches: list[Activation]
    latest: Activation | None

    @property
    def active(self) -> Version | None:
        """The default network's active version."""
        return self.network.active if self.network else None

    @property
    def active_since(self) -> Activation | None:
        """The switch that made it active, when it is one of the last."""
        done = (each for each in self.switches if each.outcome == Activation.Outcome.ACTIVATED)
        return next((each for each in done if self.active and each.version_id == self.active.pk), None)

    @property
    def running(self) -> bool:
        """Whether the default network is being switched."""
        return any(each.ending == Activation.Outcome.RUNNING for each in self.switches)


def read_default_network() -> DefaultNetworkState:
    """By three queries at most."""
    latest = Activation.objects.select_related("version").order_by("-id").first()
    network = Network.objects.filter(defaultnetwork__id=DefaultNetwork.ONLY_ID).select_related("active").first()
    if network is None:
        return DefaultNetworkState(None, Network.objects.exists(), [], latest)
    switches = Activation.objects.filter(version__network=network).select_related("version", "previous")
    return DefaultNetworkState(network, True, list(switches.order_by("-id")[:SWITCHES_SHOWN]), latest)
