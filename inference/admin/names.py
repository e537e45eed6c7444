"""What a network's own page lets an operator change at once: its name, and which of its versions have labels.

Who did is on the network's record of changes.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views import View
from unfold.widgets import UnfoldAdminTextInputWidget

from inference.admin import permissions
from inference.admin.changes import network_address
from inference.admin.permissions import require
from inference.admin.trouble import EXPECTED, trouble_of
from inference.gateway import gateway
from inference.http.requester import requester
from inference.models import Network
from inference.models.names import NAME_CHARACTERS_MAX

_WIDGET = UnfoldAdminTextInputWidget(attrs={"spellcheck": "false", "autocomplete": "off"})


class NameForm(forms.Form):
    """A name; none takes it away."""

    name = forms.CharField(label="Name", required=False, max_length=NAME_CHARACTERS_MAX, widget=_WIDGET)


class RemovedLabelForm(forms.Form):
    """A label."""

    label = forms.CharField(label="Label", max_length=NAME_CHARACTERS_MAX, widget=_WIDGET)


class LabelForm(RemovedLabelForm):
    """A label, and the version that it is to stand for."""

    version = forms.IntegerField(
        label="Version",
        min_value=1,
        max_value=999_999_999,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )


class _Renaming(View):
    """Changes on POST, and shows the network again with what came of it."""

    http_method_names = ["post"]
    form: type[forms.Form]

    def dispatch(self, request: HttpRequest, *arguments: Any, **named: Any) -> Any:
        """Let those in who may switch versions: a name and a label decide, too, which one answers."""
        require(request, permissions.ACTIVATE)
        return super().dispatch(request, *arguments, **named)

    def post(self, request: HttpRequest, nn_id: str) -> HttpResponse:
        """Change it, and note who did."""
        form = self.form(request.POST)
        if form.is_valid():
            try:
                done = self.change(nn_id, form.cleaned_data)
            except EXPECTED as error:
                messages.error(request, trouble_of(error).what)
            else:
                network = Network.objects.get(nn_id=nn_id)
                LogEntry.objects.log_actions(str(request.user.pk), [network], CHANGE, done, single_object=True)
                messages.success(request, done)
        else:
            reasons = [f"{field}: {reason}" for field, its in form.errors.items() for reason in its]
            messages.error(request, " ".join(reasons))
        return HttpResponseRedirect(network_address(nn_id))

    def change(self, nn_id: str, told: dict[str, Any]) -> str:
        """Do it; says what was done.

        Raises:
            InferenceError, DatabaseError: it could not be done.
        """
        raise NotImplementedError


class Name(_Renaming):
    """Give a network a name, or take it."""

    form = NameForm

    def change(self, nn_id: str, told: dict[str, Any]) -> str:
        """An empty name is none."""
        name = told["name"] or None
        gateway().switch.name_network(nn_id, name, requester(self.request))
        return f"The network is called {name}." if name else "The network has no name."


class SetLabel(_Renaming):
    """Have a label stand for a version."""

    form = LabelForm

    def change(self, nn_id: str, told: dict[str, Any]) -> str:
        """A label that is known moves."""
        gateway().switch.label(nn_id, told["label"], told["version"], requester(self.request))
        return f"The label {told['label']} stands for version {told['version']}."


class RemoveLabel(_Renaming):
    """Forget a label."""

    form = RemovedLabelForm

    def change(self, nn_id: str, told: dict[str, Any]) -> str:
        """The version stays."""
        gateway().switch.remove_label(nn_id, told["label"], requester(self.request))
        return f"The label {told['label']} is removed."
