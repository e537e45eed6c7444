"""The page that takes weights: a new network, or a network's next version."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from rest_framework.request import Request
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextInputWidget

from inference.admin import permissions
from inference.admin.changes import network_address, progress_address, tell, trouble_answer, wants_json
from inference.admin.pages import show
from inference.admin.permissions import require
from inference.admin.trouble import EXPECTED, Trouble, trouble_of
from inference.errors import BadInputError
from inference.gateway import gateway
from inference.http.bodies.body_limit import refuse_larger
from inference.http.bodies.terms_form import read_terms
from inference.http.bodies.upload_files import UploadParser, decoded
from inference.http.requester import requester
from inference.http.weight_changes import weight_change
from inference.models.names import NAME_CHARACTERS_MAX, NAME_RULE, is_name
from inference.versions import history
from inference.versions.uploads import store_upload
from workers.messages.protocol import is_nn_id

ACCEPTED = ".h5,.keras,.safetensors,.pt,.pth,.b64"


class UploadForm(forms.Form):
    """A network's id, its name, and a file."""

    nn_id = forms.CharField(
        label="Network",
        strip=True,
        max_length=32,
        widget=UnfoldAdminTextInputWidget(attrs={"spellcheck": "false", "autocomplete": "off"}),
        help_text="Its id, 32 lower-case hex digits: a new one makes a new network.",
    )
    name = forms.CharField(
        label="Name",
        required=False,
        max_length=NAME_CHARACTERS_MAX,
        widget=UnfoldAdminTextInputWidget(attrs={"spellcheck": "false", "autocomplete": "off"}),
        help_text="What the network is called from then on; left empty, that stays as it is.",
    )
    data = forms.FileField(  # type: ignore[assignment]  # the name that the HTTP API has, too
        label="Weights",
        allow_empty_file=True,
        max_length=255,
        # unfold's script writes the file's name into the text field of its own widget; without that, into another.
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ACCEPTED}),
        help_text="A Keras .weights.h5, .keras or .h5, safetensors, or a PyTorch state_dict; as it is or as base64.",
    )

    order = forms.CharField(
        label="Order of the layers",
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"spellcheck": "false", "autocomplete": "off"}),
        help_text="Of a PyTorch file whose names do not tell: the layers as they are used, with commas between.",
    )
    expect = forms.FileField(
        label="Examples that must hold",
        required=False,
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".json"}),
        help_text='JSON like {"data": [[0.3, 0.7]], "result": [1.0], "tolerance": 0.01}: whoever answers otherwise '
        "refuses the file.",
    )

    def clean_nn_id(self) -> str:
        """32 lower-case hex digits."""
        nn_id = str(self.cleaned_data["nn_id"])
        if not is_nn_id(nn_id):
            raise forms.ValidationError("A network's id is 32 lower-case hex digits.")
        return nn_id

    def clean_name(self) -> str | None:
        """What a network may be called; none stays as it is."""
        name = str(self.cleaned_data["name"]) or None
        if name is not None and not is_name(name):
            raise forms.ValidationError(f"A network's name has {NAME_RULE}.")
        return name


@method_decorator(csrf_exempt, name="dispatch")  # checked by _take, when the body has been read within its bounds
class Upload(View):
    """Shows the form; takes it.

    Without a script the POST answers when the workers have. Our script asks for JSON: then the file is stored, and the
    answer says where to have it loaded, and where each worker's report can be read meanwhile.
    """

    http_method_names = ["get", "post", "head"]

    def get(self, request: HttpRequest, nn_id: str = "") -> HttpResponse:
        """The form."""
        require(request, permissions.UPLOAD)
        trouble = _trouble_with(nn_id)
        return _page(request, UploadForm(initial={"nn_id": nn_id or uuid4().hex}), nn_id, trouble)

    def post(self, request: HttpRequest, nn_id: str = "") -> HttpResponse:
        """Take it."""
        require(request, permissions.UPLOAD)
        try:
            refuse_larger(request, settings.PIPELINE_MAX_UPLOAD_BYTES)
            with weight_change():
                _read_whole_form(request)
                return self._take(request, nn_id)
        except EXPECTED as error:
            return _refusal(request, UploadForm(initial={"nn_id": nn_id}), nn_id, trouble_of(error))

    @method_decorator(csrf_protect)
    def _take(self, request: HttpRequest, nn_id: str) -> HttpResponse:
        form = UploadForm(request.POST, request.FILES)
        if not form.is_valid():
            reasons = " ".join(str(reason) for reasons in form.errors.values() for reason in reasons)
            return _refusal(request, form, nn_id, Trouble(reasons, "Correct the form, and send it again.", 400))
        told = form.cleaned_data
        file, terms, name = told["data"], read_terms(told["order"], told["expect"]), told["name"]
        with decoded(file) as weights:
            if not wants_json(request):
                who = requester(request)
                result = gateway().switch.set_weights(told["nn_id"], file.name, weights, who, terms=terms, name=name)
                return HttpResponseRedirect(tell(request, result))
            version = store_upload(told["nn_id"], file.name, weights, terms, name)
        where = [version.network_id, version.number]
        load = reverse("admin:inference_network_load", args=where)
        return JsonResponse({"next": load, "progress": progress_address(version)})


def _read_whole_form(request: HttpRequest) -> None:
    """Read the body; Django alone would take what has come of a broken upload for all there is.

    Raises:
        BadInputError: it is empty.
        UnreadablePostError: the client has gone before the end, was too slow, or sends too much.
        DiskFullError, APIException: there is no room, or it is no form.
    """
    form = Request(request, parsers=[UploadParser()])
    if not form.data:
        raise BadInputError("the form is empty")


def _trouble_with(nn_id: str) -> Trouble | None:
    if not nn_id:
        return None
    try:
        history.network(nn_id)
    except EXPECTED as error:
        return trouble_of(error)
    return None


def _page(request: HttpRequest, form: UploadForm, nn_id: str, trouble: Trouble | None) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "nn_id": nn_id, "trouble": trouble}
    back = network_address(nn_id) if nn_id else reverse("admin:inference_network_changelist")
    status = trouble.status if trouble else 200
    return show(request, "upload.html", "Upload weights", status=status, back=back, **context)


def _refusal(request: HttpRequest, form: UploadForm, nn_id: str, trouble: Trouble) -> HttpResponse:
    return trouble_answer(trouble) if wants_json(request) else _page(request, form, nn_id, trouble)
