"""A member of staff in the admin, with a browser, who decides conflicts."""

from typing import Any

import requests

from tests.end_to_end.portal import STAFF_PASSWORD, Portal

LIST = "/admin/connections/connection/"


class Staff:
    """A member of staff who signs in when needed. If the portal does not answer, the caller tries again."""

    def __init__(self, portal: Portal) -> None:
        self._portal, self._browser = portal, requests.Session()

    def act(self, action: str, connection: int) -> None:
        """Run an action of the list of connections. Raises RequestException if the portal does not answer."""
        if "sessionid" not in self._browser.cookies:
            address = {"username": "staff@example.com", "password": STAFF_PASSWORD}
            self._post("/admin/login/", {**address, "next": LIST})
        self._post(LIST, {"action": action, "_selected_action": connection, "confirmed": "yes"})

    def _post(self, path: str, form: dict[str, Any]) -> None:
        url = self._portal.url + path
        self._browser.get(url, timeout=15).raise_for_status()
        told = {**form, "csrfmiddlewaretoken": self._browser.cookies["csrftoken"]}
        self._browser.post(url, data=told, timeout=15, headers={"Referer": url}).raise_for_status()
