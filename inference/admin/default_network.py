"""The page of the default network."""

from __future__ import annotations

from django.contrib import admin

from inference.admin.read_only import ReadOnlyPage
from inference.models import DefaultNetwork


@admin.register(DefaultNetwork)
class DefaultNetworkAdmin(ReadOnlyPage):
    """Which network /predict uses."""

    list_display = ("network",)
