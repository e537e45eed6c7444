"""Who looks at the admin in tests: one of each group, and a superuser."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.support.system import System

#: Each is named as what they are.
OPERATOR, VIEWER, SUPERUSER = "operator", "viewer", "superuser"
PASSWORD = "a long enough secret"

_MAKE = f"""
from django.contrib.auth.models import Group, User
for name in ("{OPERATOR}", "{VIEWER}"):
    User.objects.create_user(name, password="{PASSWORD}", is_staff=True).groups.add(Group.objects.get(name=name))
User.objects.create_superuser("{SUPERUSER}", password="{PASSWORD}")
"""


def make_people(system: System) -> None:
    """Make all three."""
    done = system.manage("shell", "--verbosity", "0", "-c", _MAKE)
    assert done.returncode == 0, done.stderr


def log_in(page: Page, name: str) -> None:
    """Fill in the form that a stranger is sent to, until the dashboard is there."""
    page.goto("/admin/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/admin/")
