"""The doors that this life comes through: the sandbox's control, the owner's browser, the REST API, staff's pages."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

TIMEOUT = 30


class Altegio:
    """The sandbox, told what its owners do (`sandbox/README.md`)."""

    def __init__(self, address: str) -> None:
        self._address = address

    def tell(self, what: str, /, **arguments: Any) -> Any:
        """What the control call answers; anything but 200 is an error."""
        return self._ask("POST", what, arguments)

    def _ask(self, method: str, what: str, body: Any = None) -> Any:
        answer = requests.request(method, f"{self._address}/_sandbox/{what}", json=body, timeout=TIMEOUT)
        answer.raise_for_status()
        return answer.json()

    @contextmanager
    def without_limits(self) -> Iterator[None]:
        """Half a year at the limits of Altegio would take an hour. Afterwards the log of calls is empty again."""
        names = ("requests_per_second", "requests_per_minute")
        known = self._ask("GET", "settings")
        self.tell("settings", **dict.fromkeys(names))
        try:
            yield
        finally:
            self.tell("settings", **{name: known[name] for name in names})
            self._ask("DELETE", "requests")

    def messages(self) -> list[dict[str, Any]]:
        """What was handed to the portal, with what it answered."""
        found: list[dict[str, Any]] = self._ask("GET", "messages")
        return found

    def press_connect(self, salon_ids: list[int], application: int, user_id: int | None) -> None:
        """The owner consents, and their browser comes to the portal."""
        visit(self.consent(salon_ids, application, user_id))

    def consent(self, salon_ids: list[int], application: int, user_id: int | None) -> str:
        """The owner consents; where their browser is sent."""
        given: dict[str, Any] = {} if user_id is None else {"user_id": user_id}
        address: str = self.tell("grant", salon_ids=salon_ids, application_id=application, **given)["url"]
        return address

    def does_not_answer(self, salon_id: int) -> None:
        """From now on: every call about this location meets a 503."""
        for call in ("activate", "status"):
            self.tell("faults", kind="error", call=call, location_id=salon_id, status=503, remaining=None)


def visit(address: str) -> None:
    """An owner's browser opens the address; where it is led on to shows nothing new."""
    answer = requests.get(address, timeout=TIMEOUT, allow_redirects=False)
    answer.raise_for_status()


class Partner:
    """The partner's own systems, at the REST API."""

    def __init__(self, portal: str, key: str) -> None:
        self._address, self._headers = f"{portal}/api/v1", {"Authorization": f"Api-Key {key}"}

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The answer; a refusal is an error that holds the portal's words."""
        answer = requests.request(method, f"{self._address}{path}", json=body, headers=self._headers, timeout=TIMEOUT)
        if not answer.ok:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None


class Staff:
    """A member of staff in the admin, signed in."""

    def __init__(self, portal: str, email: str, password: str) -> None:
        self._portal, self._session = portal, requests.Session()
        self.post("/admin/login/", username=email, password=password)

    def post(self, path: str, form: str = "", **fields: Any) -> None:
        """Send the form that the page at `form` (else at `path`) holds."""
        page = self._session.get(f"{self._portal}{form or path}", timeout=TIMEOUT)
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        if found is None:
            raise RuntimeError(f"There is no form at {form or path}.")
        fields["csrfmiddlewaretoken"] = found[1]
        answer = self._session.post(
            f"{self._portal}{path}", data=fields, headers={"Referer": page.url}, timeout=TIMEOUT
        )
        answer.raise_for_status()
