"""A network's own page: its versions side by side, what can be done with them, and how it is made."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from inference.admin.names import LabelForm, NameForm
from inference.admin.pages import last_day, show
from inference.admin.permissions import allowed
from inference.admin.trouble import trouble_of
from inference.errors import NotFoundError
from inference.models import Activation, Version
from inference.statistics.summary import EMPTY, Summary, by_version
from inference.versions import history
from inference.versions.architecture_summaries import summaries_of
from inference.versions.architecture_summary import ArchitectureSummary

VERSIONS_A_PAGE = 25
ACTIVATIONS_SHOWN = 5


@dataclass(frozen=True)
class VersionRow:
    """A version as a line of the table."""

    version: Version
    active: bool
    architecture: ArchitectureSummary | None
    traffic: Summary

    @property
    def there(self) -> bool:
        """Whether its weights are."""
        return self.version.state != Version.State.DELETED


def network_page(request: HttpRequest, nn_id: str) -> HttpResponse:
    """Show a network."""
    try:
        network = history.network(nn_id)
    except NotFoundError as error:
        back = reverse("admin:inference_network_changelist")
        return show(request, "missing.html", "Network", status=404, trouble=trouble_of(error), back=back)
    versions = history.versions(nn_id).select_related("weights", "network", "architecture")
    page = Paginator(versions, VERSIONS_A_PAGE).get_page(request.GET.get("page"))
    traffic = by_version(nn_id, *last_day())
    found = list(page.object_list)
    shown = network.active or (found[0] if found else None)
    architectures = summaries_of(version.architecture for version in (*([shown] if shown else []), *found))
    rows = [
        VersionRow(
            version,
            version.pk == network.active_id,
            architectures.get(version.architecture_id),
            traffic.get(version.number, EMPTY),
        )
        for version in found
    ]
    activations = Activation.objects.filter(version__network_id=nn_id).select_related("version", "previous")
    return show(
        request,
        "network.html",
        "Network",
        content_subtitle=nn_id,
        network=network,
        page=page,
        rows=rows,
        shown=shown,
        architecture=architectures.get(shown.architecture_id) if shown else None,
        activations=activations.order_by("-id")[:ACTIVATIONS_SHOWN],
        labels=network.labels.select_related("version"),
        name_form=NameForm(initial={"name": network.name}),
        label_form=LabelForm(),
        allowed=allowed(request),
    )
