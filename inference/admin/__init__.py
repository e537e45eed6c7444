"""The admin: one file a page, all registered by being imported; its look is `gateway_site/admin_theme.py`."""

from __future__ import annotations

from inference.admin import activations, networks, people, requests, tokens, versions

__all__ = ["activations", "networks", "people", "requests", "tokens", "versions"]
