"""The interfaces that this life uses: the sandbox's control API, the owner's browser, the REST API, staff's pages."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

TIMEOUT = 30


class Altegio:
    """The sandbox, which plays what its owners do (`sandbox/README.md`)."""

    def __init__(self, address: str) -> None:
        self._address = address

    def tell(self, what: str, /, **arguments: Any) -> Any:
        """Send a control call and return its answer. Raises HTTPError if it is refused."""
        return self._ask("POST", what, arguments)

    def _ask(self, method: str, what: str, body: Any = None) -> Any:
        answer = requests.request(method, f"{self._address}/_sandbox/{what}", json=body, timeout=TIMEOUT)
        answer.raise_for_status()
        return answer.json()

    @contextmanager
    def without_limits(self) -> Iterator[None]:
        """Lift the limits of Altegio for the block, and clear its log of calls afterwards.

        At the limits half a year would take an hour.
        """
        names = ("requests_per_second", "requests_per_minute")
        known = self._ask("GET", "settings")
        self.tell("settings", **dict.fromkeys(names))
        try:
            yield
        finally:
            self.tell("settings", **{name: known[name] for name in names})
            self._ask("DELETE", "requests")

    def messages(self) -> list[dict[str, Any]]:
        """Return the messages sent to the portal, each with the portal's answer."""
        found: list[dict[str, Any]] = self._ask("GET", "messages")
        return found

    def press_connect(self, salon_ids: list[int], application: int, user_id: int | None) -> None:
        """Give the owner's consent and open the portal in their browser."""
        visit(self.consent(salon_ids, application, user_id))

    def consent(self, salon_ids: list[int], application: int, user_id: int | None) -> str:
        """Give the owner's consent and return where their browser is sent."""
        given: dict[str, Any] = {} if user_id is None else {"user_id": user_id}
        address: str = self.tell("grant", salon_ids=salon_ids, application_id=application, **given)["url"]
        return address

    def does_not_answer(self, salon_id: int) -> None:
        """Answer every activation and status call about this location with 503 from now on."""
        for call in ("activate", "status"):
            self.tell("faults", kind="error", call=call, location_id=salon_id, status=503, remaining=None)


def visit(address: str) -> None:
    """Open the address as an owner's browser does, but follow no redirect: the next page shows nothing new."""
    answer = requests.get(address, timeout=TIMEOUT, allow_redirects=False)
    answer.raise_for_status()


class Partner:
    """The partner's own systems, which call the REST API."""

    def __init__(self, portal: str, key: str) -> None:
        self._address, self._headers = f"{portal}/api/v1", {"Authorization": f"Api-Key {key}"}

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call the API and return its answer. Raises RuntimeError with the portal's message if it refuses."""
        answer = requests.request(method, f"{self._address}{path}", json=body, headers=self._headers, timeout=TIMEOUT)
        if not answer.ok:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None


class Staff:
    """A member of staff who is signed in to the admin."""

    def __init__(self, portal: str, email: str, password: str) -> None:
        self._portal, self._session = portal, requests.Session()
        self.post("/admin/login/", username=email, password=password)

    def post(self, path: str, form: str = "", **fields: Any) -> None:
        """Send a form of the page at `form`, or at `path` if that is empty."""
        page = self._session.get(f"{self._portal}{form or path}", timeout=TIMEOUT)
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        if found is None:
            raise RuntimeError(f"There is no form at {form or path}.")
        fields["csrfmiddlewaretoken"] = found[1]
        answer = self._session.post(
            f"{self._portal}{path}", data=fields, headers={"Referer": page.url}, timeout=TIMEOUT
        )
        answer.raise_for_status()
