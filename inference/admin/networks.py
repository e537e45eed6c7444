"""The page of networks: which there are, which version each answers with, and how its requests went."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from unfold.views import ChangeList

from inference.admin import changes, names, network_page, version_files
from inference.admin.pages import last_day
from inference.admin.permissions import VIEW_ACTIVATIONS, VIEW_VERSIONS, require
from inference.admin.read_only import ReadOnlyPage
from inference.admin.try_it import TryIt
from inference.admin.upload import Upload
from inference.models import Network
from inference.statistics.summary import EMPTY, by_network
from inference.templatetags.numbers import milliseconds
from inference.versions import history
from workers.messages.protocol import is_nn_id


class NetworkList(ChangeList):
    """The networks of one page of the list, with the requests of the last day."""

    def get_results(self, request: HttpRequest) -> None:
        """Read them; the requests of all of them by one query."""
        super().get_results(request)
        found: list[Any] = list(self.result_list)
        traffic = by_network([network.nn_id for network in found], *last_day()) if found else {}
        for network in found:
            network.traffic = traffic.get(network.nn_id, EMPTY)
        self.result_list = found


@admin.register(Network)
class NetworkAdmin(ReadOnlyPage):
    """Networks, and from each the way to its versions and what can be done with them."""

    list_display = (
        "network", "name", "is_default", "active_number", "versions_count", "last_upload", "requests", "errors", "p50",
        "p95",
    )  # fmt: skip
    search_fields = ("nn_id__startswith", "name__icontains")
    search_help_text = "The beginning of a network's id, or a part of its name"
    list_before_template = "admin/inference/network_list_top.html"  # type: ignore[assignment]
    ordering = ("nn_id",)

    def get_urls(self) -> list[URLPattern]:
        """The pages beside the list."""

        def page(route: str, name: str, view: Any) -> Any:
            return path(route, self.admin_site.admin_view(view), name=f"inference_network_{name}")

        version = "<nn_id:nn_id>/versions/<version:number>/"
        return [
            page("upload/", "upload", Upload.as_view()),
            page("<nn_id:nn_id>/upload/", "upload_version", Upload.as_view()),
            page("<nn_id:nn_id>/try/", "try", TryIt.as_view()),
            page("<nn_id:nn_id>/name/", "name", names.Name.as_view()),
            page("<nn_id:nn_id>/labels/", "set_label", names.SetLabel.as_view()),
            page("<nn_id:nn_id>/labels/remove/", "remove_label", names.RemoveLabel.as_view()),
            page("<nn_id:nn_id>/rollback/", "rollback", changes.Rollback.as_view()),
            page(f"{version}activate/", "activate", changes.Activate.as_view()),
            page(f"{version}load/", "load", changes.Load.as_view()),
            page(f"{version}delete/", "delete_version", changes.Delete.as_view()),
            page(f"{version}download/", "download", version_files.download),
            page(f"{version}progress/", "progress", version_files.progress),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Network, Any]:
        """With what the list shows, in one query."""
        return history.networks()

    def get_changelist(self, request: HttpRequest, **_: Any) -> Any:
        """With requests."""
        return NetworkList

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The network's own page."""
        self.require_reading(request)
        require(request, VIEW_VERSIONS)
        require(request, VIEW_ACTIVATIONS)
        if not is_nn_id(object_id):
            raise Http404("no network has such an id")
        return network_page.network_page(request, object_id)

    @admin.display(description="network", ordering="nn_id")
    def network(self, network: Network) -> str:
        """Its id."""
        return network.nn_id

    @admin.display(description="default")
    def is_default(self, network: Any) -> str:
        """Whether /predict uses it when none is named."""
        return "default" if network.is_default else ""

    @admin.display(description="active version", empty_value="none")
    def active_number(self, network: Network) -> int | None:
        """The number of the active version."""
        return network.active.number if network.active else None

    @admin.display(description="versions")
    def versions_count(self, network: Any) -> int:
        """How many uploads there were."""
        return int(network.versions_count)

    @admin.display(description="last upload (UTC)", empty_value="-")
    def last_upload(self, network: Any) -> str | None:
        """When the last one was."""
        return f"{network.last_upload:%Y-%m-%d %H:%M:%S}" if network.last_upload else None

    @admin.display(description="requests, last day")
    def requests(self, network: Any) -> str:
        """How many there were."""
        return f"{network.traffic.count:,}"

    @admin.display(description="errors")
    def errors(self, network: Any) -> str:
        """How many of them were not answered."""
        return f"{network.traffic.errors:,}"

    @admin.display(description="p50 ms")
    def p50(self, network: Any) -> str:
        """What half of the answers took at most."""
        return milliseconds(network.traffic.p50_ms)

    @admin.display(description="p95 ms")
    def p95(self, network: Any) -> str:
        """What 19 of 20 answers took at most."""
        return milliseconds(network.traffic.p95_ms)
