"""The admin: one file a page, all registered by being imported; its look is `inference/admin_theme.py`.

Imports `gateway`, `http` and all below them. Start at the file that has the page's name.
"""

from __future__ import annotations

from inference.admin import activations, networks, people, requests, tokens, versions

__all__ = ["activations", "networks", "people", "requests", "tokens", "versions"]
