"""Reads the admin's pages as a person does: the rows of a list by the names of their fields."""

from __future__ import annotations

import re
from html.parser import HTMLParser


class _Rows(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.rows: list[dict[str, str]] = []
        self._field = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append({})
        elif tag in ("td", "th"):
            found = re.search(r"\bfield-(\w+)", dict(attrs).get("class") or "")
            self._field = found.group(1) if found else ""
            if self._field and self.rows:
                self.rows[-1][self._field] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._field = ""

    def handle_data(self, data: str) -> None:
        if self._field and self.rows:
            so_far = self.rows[-1][self._field]
            self.rows[-1][self._field] = f"{so_far} {data.strip()}".strip()


def rows(page: str) -> list[dict[str, str]]:
    """The text of each row's cells, by field; a table's head is none."""
    reader = _Rows()
    reader.feed(page)
    return [row for row in reader.rows if row]
