"""Gathers what the page shows: by few queries, once for all who look at a time, and without waiting for workers."""

from __future__ import annotations

import threading
from functools import partial

from django.utils import timezone

from inference.dashboard.cache import Cached
from inference.dashboard.default_network import DefaultNetworkState, read_default_network
from inference.dashboard.figures import Figures
from inference.dashboard.fleet_view import FleetView
from inference.dashboard.traffic import RANGES, Range, Recent, Traffic, read_recent, read_traffic
from inference.gateway import Gateway, gateway
from inference.versions.fleet_history import GoneWorker, gone_workers

GONE_SHOWN = 5


class Numbers:
    """What one gateway process knows, and keeps for a moment."""

    def __init__(self, of: Gateway) -> None:
        self.of = of
        self._connected: set[str] = set()
        self._fleet = FleetView(of)
        self._traffic = {
            name: Cached[Traffic](partial(_traffic_now, chosen), chosen.fresh_seconds)
            for name, chosen in RANGES.items()
        }
        self._recent = Cached[Recent](lambda: read_recent(timezone.now()), 2.0)
        self._default_network = Cached[DefaultNetworkState](read_default_network, 1.0)
        self._gone = Cached[list[GoneWorker]](lambda: gone_workers(self._connected), 5.0)

    def figures(self, chosen: Range) -> Figures:
        """All of it, with the requests of a range."""
        default_network = self._default_network.value()
        fleet = self._fleet.look(default_network.active.ref() if default_network.active else None)
        self._connected = {worker.worker for worker in fleet.workers}
        gone = [worker for worker in self._gone.value() if worker.name not in self._connected]
        traffic, recent = self._traffic[chosen.name].value(), self._recent.value()
        return Figures(timezone.now(), traffic, recent, default_network, fleet, gone[:GONE_SHOWN])


def _traffic_now(chosen: Range) -> Traffic:
    return read_traffic(chosen, timezone.now())


_lock = threading.Lock()
_numbers: Numbers | None = None


def numbers() -> Numbers:
    """This process's."""
    global _numbers
    running = gateway()
    with _lock:
        if _numbers is None or _numbers.of is not running:
            _numbers = Numbers(running)
        return _numbers
