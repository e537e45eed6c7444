"""The page of access tokens: which there are, what each may do, when each was last used; and revoking them."""

from __future__ import annotations

from datetime import datetime

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods

from inference.admin.pages import show
from inference.admin.permissions import REVOKE_TOKENS, require
from inference.admin.read_only import ReadOnlyPage
from inference.models import AccessToken


@admin.register(AccessToken)
class AccessTokenAdmin(ReadOnlyPage):
    """Every token; `manage.py create_token` makes one, since its key must not pass through a browser."""

    list_display = ("name", "rights", "created", "last_used", "revoked")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    search_fields = ("name",)
    fields = ("name", "rights", "created", "last_used", "revoked", "revoke_link")
    readonly_fields = fields
    ordering = ("-id",)

    def get_urls(self) -> list[URLPattern]:
        """The page that asks before a token is revoked."""
        view = self.admin_site.admin_view(revoke)
        return [path("<int:pk>/revoke/", view, name="inference_accesstoken_revoke"), *super().get_urls()]

    @admin.display(description="created (UTC)", ordering="created_at")
    def created(self, token: AccessToken) -> str:
        """When."""
        return _time(token.created_at)

    @admin.display(description="last used (UTC)", ordering="last_used_at")
    def last_used(self, token: AccessToken) -> str:
        """When, to the minute."""
        return _time(token.last_used_at)

    @admin.display(description="revoked (UTC)", ordering="revoked_at")
    def revoked(self, token: AccessToken) -> str:
        """When."""
        return _time(token.revoked_at)

    @admin.display(description="revoke")
    def revoke_link(self, token: AccessToken) -> SafeString | str:
        """Where that is asked."""
        if token.revoked_at:
            return "It is revoked."
        address = reverse("admin:inference_accesstoken_revoke", args=[token.pk])
        return format_html('<a id="revoke" href="{}">Revoke this token …</a>', address)


@require_http_methods(["GET", "HEAD", "POST"])
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, and revoke on POST."""
    require(request, REVOKE_TOKENS)
    token = AccessToken.objects.filter(pk=pk, revoked_at__isnull=True).first() if pk < 2**63 else None
    if token is None:
        raise Http404
    if request.method != "POST":
        return show(request, "revoke.html", "Revoke a token", token=token)
    AccessToken.objects.filter(pk=pk, revoked_at__isnull=True).update(revoked_at=timezone.now())
    LogEntry.objects.log_actions(str(request.user.pk), [token], CHANGE, "Revoked.", single_object=True)
    messages.success(request, f"The token {token.name} is revoked: every gateway refuses it within a second.")
    return HttpResponseRedirect(reverse("admin:inference_accesstoken_changelist"))


def _time(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}" if at else "-"
