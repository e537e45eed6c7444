"""The admin: one file a page, all registered by being imported; its look is `gateway_site/admin_theme.py`."""

from __future__ import annotations

from django.contrib import admin

from inference.admin import activations, default_network, networks, people, requests, versions

__all__ = ["activations", "default_network", "networks", "people", "requests", "versions"]

admin.site.index_title = "Dashboard"
