"""Requests as CSV, written while they are read: a bounded number, never all in memory."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from django.http import StreamingHttpResponse
from django.utils import timezone

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
    lines = [writer.writerow(COLUMNS)]
    rows = search.requests().values_list(*COLUMNS)[:ROWS_MAX]
    for at, outcome, nn_id, version, worker, *numbers in rows.iterator(chunk_size=ROWS_A_PIECE):
        lines.append(writer.writerow((at.isoformat(), outcome, _text(nn_id), version, _text(worker), *numbers)))
        if len(lines) >= ROWS_A_PIECE:
            yield "".join(lines)
            lines = []
    yield "".join(lines)


def _text(value: str) -> str:
    """Text that a spreadsheet would take for a formula gets a quote in front: a worker names itself."""
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
