"""The pages that ask before a network is changed, and then change it, by what the HTTP API calls as well.

They work as plain forms; `weight_change.js` shows each worker's report while they run. A page asks for JSON then, and
gets where to go next, or the trouble.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.views import View

from inference.admin import permissions
from inference.admin.pages import show
from inference.admin.permissions import require
from inference.admin.trouble import EXPECTED, Trouble, trouble_of
from inference.errors import ConflictError
from inference.gateway import gateway
from inference.http.requester import requester
from inference.http.weight_changes import weight_change
from inference.models import Activation, Version
from inference.versions import history
from inference.versions.switch import SwitchResult


@dataclass(frozen=True)
class Question:
    """What a person is asked before a change is made; `progress` is where its reports can be read while it runs."""

    text: str
    verb: str
    danger: bool = False
    progress: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


class Change(View):
    """Asks on GET, changes on POST."""

    http_method_names = ["get", "post", "head"]
    permission = ""
    title = ""
    nn_id: str
    number: int

    def dispatch(self, request: HttpRequest, *arguments: Any, **named: Any) -> Any:
        """Let those in who may do it."""
        require(request, self.permission)
        self.nn_id, self.number = named["nn_id"], named.get("number", 0)
        return super().dispatch(request, *arguments, **named)

    def question(self) -> Question:
        """What is asked.

        Raises:
            InferenceError: it cannot be done.
        """
        raise NotImplementedError

    def make(self, request: HttpRequest) -> str:
        """Do it; returns the address of the page that shows how it went.

        Raises:
            InferenceError, DatabaseError: it could not be done.
        """
        raise NotImplementedError

    def get(self, request: HttpRequest, **_: Any) -> HttpResponse:
        """Ask."""
        try:
            return self._page(request, self.question())
        except EXPECTED as error:
            return self._page(request, None, trouble_of(error))

    def post(self, request: HttpRequest, **_: Any) -> HttpResponse:
        """Change."""
        try:
            address = self.make(request)
        except EXPECTED as error:
            trouble = trouble_of(error)
            return trouble_answer(trouble) if wants_json(request) else self._page(request, None, trouble)
        return JsonResponse({"location": address}) if wants_json(request) else HttpResponseRedirect(address)

    def _page(self, request: HttpRequest, question: Question | None, trouble: Trouble | None = None) -> HttpResponse:
        return show(
            request,
            "change.html",
            self.title,
            status=trouble.status if trouble else 200,
            nn_id=self.nn_id,
            number=self.number,
            question=question,
            trouble=trouble,
        )


class Activate(Change):
    """Make any version the active one."""

    permission = permissions.ACTIVATE
    title = "Activate a version"

    def question(self) -> Question:
        """Which one, instead of which."""
        version, network = history.version(self.nn_id, self.number), history.network(self.nn_id)
        if version.state == Version.State.DELETED:
            raise ConflictError(f"{version} is deleted: upload its weights again")
        if network.active_id == version.pk:
            raise ConflictError(f"{version} is active already")
        return Question(
            f"Every worker loads version {version.number}; when all have, predictions are made with it.",
            f"Activate version {version.number}",
            progress=progress_address(version),
            facts=_facts(version, network.active),
        )

    def make(self, request: HttpRequest) -> str:
        """Have it loaded everywhere, and switch."""
        with weight_change():
            return tell(request, gateway().switch.activate(self.nn_id, self.number, requester(request)))


class Rollback(Change):
    """Take back the latest step."""

    permission = permissions.ACTIVATE
    title = "Roll back"

    def question(self) -> Question:
        """What that leads to."""
        version, network = history.version_before(self.nn_id), history.network(self.nn_id)
        return Question(
            f"The latest step is taken back: every worker loads version {version.number}, and predictions are made "
            "with it again.",
            f"Roll back to version {version.number}",
            progress=progress_address(version),
            facts=_facts(version, network.active),
        )

    def make(self, request: HttpRequest) -> str:
        """Have the version before loaded everywhere, and switch."""
        with weight_change():
            return tell(request, gateway().switch.rollback(self.nn_id, requester(request)))


class Delete(Change):
    """Delete a version's weights."""

    permission = permissions.DELETE
    title = "Delete a version"

    def question(self) -> Question:
        """Which ones."""
        version, network = history.version(self.nn_id, self.number), history.network(self.nn_id)
        if version.state == Version.State.DELETED:
            raise ConflictError(f"{version} is deleted already")
        if network.active_id == version.pk:
            raise ConflictError(f"{version} is active: activate another one first")
        return Question(
            f"The weights of version {version.number} are deleted for good; the record of it stays.",
            f"Delete version {version.number}",
            danger=True,
            facts=_facts(version, network.active),
        )

    def make(self, request: HttpRequest) -> str:
        """Delete them."""
        gateway().switch.delete(self.nn_id, self.number, requester(request))
        messages.success(request, f"The weights of version {self.number} are deleted.")
        return network_address(self.nn_id)


class Load(Change):
    """The second half of an upload: the version that it stored is loaded everywhere, and becomes active."""

    http_method_names = ["post"]
    permission = permissions.UPLOAD
    title = "Upload weights"

    def make(self, request: HttpRequest) -> str:
        """Have it loaded everywhere, and switch."""
        version = history.version(self.nn_id, self.number)
        if version.state != Version.State.PENDING or version.activations.exists():
            raise ConflictError(f"{version} has been activated, or tried to be, already")
        with weight_change():
            return tell(request, gateway().switch.switch_to(version, Activation.Kind.UPLOAD, requester(request)))


def tell(request: HttpRequest, result: SwitchResult) -> str:
    """Say how a switch ended; returns the address of its page, which has the reports."""
    version = result.activation.version
    if result.loaded:
        messages.success(request, f"Version {version.number} is active: {_workers(len(result.reports))} loaded it.")
    else:
        failed = sum(not report.loaded for report in result.reports)
        messages.error(
            request,
            f"Version {version.number} is not active: {failed} of {_workers(len(result.reports))} did not load it. "
            "What was active stays active. The reasons are below.",
        )
    return reverse("admin:inference_activation_change", args=[result.activation.pk])


def wants_json(request: HttpRequest) -> bool:
    """Whether our own script asks, which shows what happens meanwhile."""
    return request.headers.get("Accept", "") == "application/json"


def trouble_answer(trouble: Trouble) -> JsonResponse:
    """What our own script is told."""
    return JsonResponse({"trouble": trouble.what, "to_do": trouble.to_do}, status=trouble.status)


def network_address(nn_id: str) -> str:
    """The page of a network."""
    return reverse("admin:inference_network_change", args=[nn_id])


def progress_address(version: Version) -> str:
    """Where the reports of a version's next activation can be read."""
    latest = version.activations.order_by("-id").values_list("id", flat=True).first() or 0
    return f"{reverse('admin:inference_network_progress', args=[version.network_id, version.number])}?after={latest}"


def _facts(version: Version, active: Version | None) -> dict[str, Any]:
    return {
        "network": version.network_id,
        "version": version.number,
        "file": version.file_name,
        "state": version.get_state_display(),
        "active now": f"version {active.number}" if active else "none",
    }


def _workers(count: int) -> str:
    return "1 worker" if count == 1 else f"{count} workers"
