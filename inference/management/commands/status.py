"""`manage.py status`: the running gateway and its fleet, as a table."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from inference.management.client import add_url_argument, asking
from inference.management.table import table

WORKER_HEAD = ("WORKER", "NETWORK", "VERSION", "REQUESTS", "HANDLING MS", "INFERENCE MS", "ADDRESS")


class Command(BaseCommand):
    """Show the gateway's queue and every worker."""

    help = "Show the running gateway's queue and times, and what each worker tells about itself."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Table or JSON."""
        parser.add_argument("--json", action="store_true", help="print the answer of GET /status as it is")
        add_url_argument(parser)

    def handle(self, *args: Any, url: str, **options: Any) -> None:
        """Print the status."""
        with asking(url) as client:
            answer = client.status()
        self.stdout.write(json.dumps(answer, indent=2) if options["json"] else _readable(answer))


def _readable(answer: dict[str, Any]) -> str:
    silent = f" ({answer['workers_silent']} did not answer)" if answer.get("workers_silent") else ""
    summary = (
        f"requests waiting  {answer['queue_requests_current']} of {answer['queue_requests_max']}\n"
        f"handling time     {answer['req_handling_time_avg_ms']:.2f} ms, mean of the last 100 requests\n"
        f"workers           {answer['workers_count']}{silent}"
    )
    if dropped := answer.get("timings_dropped"):
        summary += f"\ntimings dropped   {dropped}: the database did not take them in time, see the gateways' logs"
    if not answer["workers"]:
        return summary + "\n\nNo worker is connected: start one with `celery -A workers worker`."
    return summary + "\n\n" + table(WORKER_HEAD, [_row(worker) for worker in answer["workers"]])


def _row(worker: dict[str, Any]) -> list[str]:
    return [
        worker["worker"],
        worker["nn_id"] or "-",
        str(worker["version"] or "-"),
        str(worker["count_requests_handled"]),
        f"{worker['req_handling_time_avg_ms']:.2f}",
        f"{worker['inference_time_avg_ms']:.2f}",
        ", ".join(worker["address"]) or "-",
    ]
