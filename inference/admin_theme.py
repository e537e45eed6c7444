"""How the admin looks, and what its sidebar leads to: django-unfold's settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def may(permission: str) -> Callable[[HttpRequest], bool]:
    """Whether a request's user has a permission: the sidebar shows no page that would be refused."""
    return lambda request: request.user.has_perm(permission)


def page(title: str, icon: str, address: str, permission: str | None = None) -> dict[str, Any]:
    """A line of the sidebar."""
    line = {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{address}")}
    return line if permission is None else {**line, "permission": may(permission)}


def own_style(_: HttpRequest) -> str:
    """Where the admin's own style sheet is."""
    return static("inference/admin.css")


def icon(_: HttpRequest) -> str:
    """Where the icon of the browser's tab is; without one named, browsers ask for /favicon.ico in vain."""
    return static("inference/icon.svg")


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Pipeline",
    "SITE_HEADER": "Pipeline",
    "SITE_SYMBOL": "lan",
    "SITE_URL": None,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": icon}],
    "SHOW_VIEW_ON_SITE": False,
    "LOGIN": {"form": "inference.access.login.LimitedLoginForm"},
    "BORDER_RADIUS": "6px",
    "STYLES": [own_style],
    "COLORS": {
        # White on 600, and 600 on white, can be read (5.5 to 1).
        "primary": {
            "50": "#f0fdfa", "100": "#ccfbf1", "200": "#99f6e4", "300": "#5eead4", "400": "#2dd4bf", "500": "#14b8a6",
            "600": "#0f766e", "700": "#115e59", "800": "#134e4a", "900": "#0b3b37", "950": "#042f2e",
        },
    },
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": [
            {
                "title": None,
                "items": [
                    page("Dashboard", "monitoring", "index"),
                    page("Networks", "hub", "inference_network_changelist", "inference.view_network"),
                    page("Workers", "memory", "workers", "inference.view_workerreport"),
                    page("Activations", "history", "inference_activation_changelist", "inference.view_activation"),
                    page(
                        "Requests", "swap_vert", "inference_predictiontiming_changelist",
                        "inference.view_predictiontiming",
                    ),
                ],
            },
            {
                "title": "People",
                "separator": True,
                "items": [
                    page("Users", "person", "auth_user_changelist", "auth.view_user"),
                    page("Groups", "group", "auth_group_changelist", "auth.view_group"),
                    page("Tokens", "key", "inference_accesstoken_changelist", "inference.view_accesstoken"),
                ],
            },
        ],
    },
}  # fmt: skip
