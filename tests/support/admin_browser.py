"""A browser without a script, for the admin: a session with cookies, and forms with their token."""

from __future__ import annotations

import re
from pathlib import Path

import requests


class Browser:
    """A session with cookies that sends forms as a browser does, token and all."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False

    def get(self, path: str, headers: dict[str, str] | None = None) -> requests.Response:
        """The page at a path; redirects are not followed."""
        return self._session.get(self.url + path, headers=headers, allow_redirects=False, timeout=60)

    def page(self, path: str) -> str:
        """The text of a page that is shown."""
        response = self.get(path)
        assert response.status_code == 200, (path, response.status_code)
        return response.text

    def post(
        self, path: str, form: dict[str, str] | None = None, file: Path | None = None, json: bool = False
    ) -> requests.Response:
        """Send a form with the token of the login page, and a file in its field `data`; `json` as our script does."""
        headers = {"Accept": "application/json"} if json else None
        fields = {"csrfmiddlewaretoken": self._session.cookies["csrftoken"], **(form or {})}
        files = {"data": (file.name, file.read_bytes())} if file else None
        return self._session.post(
            self.url + path, data=fields, files=files, headers=headers, allow_redirects=False, timeout=60
        )

    def log_in(self, name: str, password: str) -> requests.Response:
        """Fill in the login form."""
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.page("/admin/login/"))
        assert token
        return self.post("/admin/login/?next=/admin/", {"username": name, "password": password})

    def close(self) -> None:
        """Close the connections."""
        self._session.close()
