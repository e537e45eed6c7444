"""Requests as CSV, written while they are read: a bounded number, a piece of them in memory.

Which ones they are is asked once, and each piece by a query of its own: a cursor that the server keeps between queries
would be lost where a pooler gives each transaction another connection.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from typing import Any

from django.http import StreamingHttpResponse
from django.utils import timezone

from inference.models import PredictionTiming
from inference.statistics.request_search import RequestSearch

ROWS_MAX = 100_000
ROWS_A_PIECE = 1000
COLUMNS = (
    "at", "outcome", "nn_id", "version", "worker", "rows", "batch_rows", "total_ms", "queue_ms", "inference_ms", "door",
)  # fmt: skip


class _Line:
    """A file that keeps nothing: the writer's line is what `write` returns."""

    def write(self, line: str) -> str:
        return line


def csv_of(search: RequestSearch) -> StreamingHttpResponse:
    """The first `ROWS_MAX` requests of a search."""
    name = f"requests-{timezone.now():%Y%m%d-%H%M%S}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(_pieces(search), content_type="text/csv; charset=utf-8", headers=headers)


def _pieces(search: RequestSearch) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield writer.writerow(COLUMNS)
    ids = list(search.requests().values_list("id", flat=True)[:ROWS_MAX])
    for first in range(0, len(ids), ROWS_A_PIECE):
        yield "".join(writer.writerow(row) for row in _rows(ids[first : first + ROWS_A_PIECE]))


def _rows(ids: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    """Those that there are still, in the order of their ids."""
    found = PredictionTiming.objects.in_bulk(ids)
    for each in filter(None, map(found.get, ids)):
        numbers = (getattr(each, name) for name in COLUMNS[5:])
        yield (each.at.isoformat(), each.outcome, _text(each.nn_id), each.version, _text(each.worker), *numbers)


def _text(value: str) -> str:
    """Text that a spreadsheet would take for a formula gets a quote in front: a worker names itself."""
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
