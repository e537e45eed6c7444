"""The page of networks: which there are, and which version each answers with."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from inference.admin.read_only import ReadOnlyPage, ReadOnlyTable
from inference.models import Network, Version


class VersionsOfNetwork(ReadOnlyTable):
    """A network's versions on its page."""

    model = Version
    fk_name = "network"
    fields = ("number", "state", "file_name", "size", "weights_id", "uploaded_at")
    readonly_fields = fields
    ordering = ("-number",)
    show_change_link = True

    @admin.display(description="bytes")
    def size(self, version: Version) -> int:
        """Bytes of the weights."""
        return version.weights.size

    def get_queryset(self, request: HttpRequest) -> QuerySet[Version]:
        """With the files, in one query."""
        return super().get_queryset(request).select_related("weights")


@admin.register(Network)
class NetworkAdmin(ReadOnlyPage):
    """Networks and which version each answers with."""

    list_display = ("nn_id", "active_number", "versions_count", "is_default", "created_at")
    search_fields = ("nn_id",)
    fields = ("nn_id", "active", "created_at")
    inlines = (VersionsOfNetwork,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Network]:
        """With what the list shows, in one query."""
        networks: QuerySet[Network] = super().get_queryset(request).select_related("active")
        return networks.annotate(
            versions_count=Count("versions", distinct=True), defaults_count=Count("defaultnetwork")
        )

    @admin.display(description="active version", empty_value="none")
    def active_number(self, network: Network) -> int | None:
        """The number of the active version."""
        return network.active.number if network.active else None

    @admin.display(description="versions")
    def versions_count(self, network: Any) -> int:
        """How many uploads there were."""
        return int(network.versions_count)

    @admin.display(description="default", boolean=True)
    def is_default(self, network: Any) -> bool:
        """Whether /predict uses it."""
        return bool(network.defaults_count)
