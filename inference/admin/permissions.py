"""Who may do what with networks; `inference/migrations/0007_permissions.py` gives it to the two groups."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

VIEW_NETWORKS = "inference.view_network"
VIEW_ACTIVATIONS = "inference.view_activation"
VIEW_VERSIONS = "inference.view_version"
VIEW_WORKERS = "inference.view_workerreport"
REVOKE_TOKENS = "inference.revoke_accesstoken"
VIEW_REQUESTS = "inference.view_predictiontiming"
UPLOAD = "inference.add_version"
ACTIVATE = "inference.activate_version"
DELETE = "inference.delete_version"


def require(request: HttpRequest, permission: str) -> None:
    """Let a request go on only when its user has a permission.

    Raises:
        PermissionDenied: the user has not.
    """
    if not request.user.has_perm(permission):
        raise PermissionDenied(permission)


def allowed(request: HttpRequest) -> dict[str, bool]:
    """What a page's links are shown for."""
    named = {"upload": UPLOAD, "activate": ACTIVATE, "delete": DELETE}
    return {name: request.user.has_perm(permission) for name, permission in named.items()}
