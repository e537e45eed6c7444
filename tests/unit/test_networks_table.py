"""The table of docs/networks.md is that of the kinds that are tested."""

from __future__ import annotations

import pytest

from workers.settings import ROOT


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_table_of_networks_is_what_the_tests_have() -> None:
    from tests.support.kinds import table

    page = (ROOT / "docs" / "networks.md").read_text(encoding="utf-8")
    written = page.partition("-->\n")[2].partition("\n<!-- end -->")[0]
    assert written == table(), "write it anew: python -m tests.support.kinds"
