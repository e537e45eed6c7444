"""What a test needs on the machine beside Python packages."""

from __future__ import annotations

import os

import pytest


def require(installed: bool, what: str) -> None:
    """Skip where a service is missing at a desk; fail where it must be there."""
    if installed:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is not installed, and CI=true: scripts/test installs it as root with apt-get")
    pytest.skip(f"{what} is not installed: apt-get install {what}")
