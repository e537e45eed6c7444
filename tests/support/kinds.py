"""All kinds of networks that teams have, and whether each is served; `docs/networks.md` has the table."""

from __future__ import annotations

from tests.support.kept_kinds import KEPT_KINDS
from tests.support.keras_kinds import KERAS_KINDS
from tests.support.kind import Kind

KINDS: dict[str, Kind] = {
    name: kind
    for served in (True, False)
    for name, kind in (KERAS_KINDS | KEPT_KINDS).items()
    if served is not bool(kind.says)
}


def table() -> str:
    """The kinds as a table in Markdown: how each is saved, whether it is served, and what is said of it, or why not."""
    lines = ["| kind | saved as | served | what is said |", "|---|---|---|---|"]
    for name, kind in KINDS.items():
        said = f"refused: … {kind.says} …" if kind.says else f"remark: {kind.remark} …" if kind.remark else ""
        lines.append(f"| {name} | {kind.saved_as} | {'no' if kind.says else 'yes'} | {said} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
