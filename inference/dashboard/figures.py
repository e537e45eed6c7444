"""Everything that the page shows, as it was at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from inference.dashboard.default_network import DefaultNetworkState
from inference.dashboard.fleet_view import FleetSeen
from inference.dashboard.traffic import Recent, Traffic
from inference.versions.fleet_history import GoneWorker


@dataclass(frozen=True)
class Figures:
    """What was read and heard; `gone` are the workers that are not connected, or not known to be."""

    at: datetime
    traffic: Traffic
    recent: Recent
    default_network: DefaultNetworkState
    fleet: FleetSeen
    gone: list[GoneWorker]
