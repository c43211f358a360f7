"""The HTTP client for Altegio: the headers of every partner call, and the result of an exchange."""

from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import simplejson

from integrations.altegio.answers import Answer, no_answer, read_answer
from integrations.altegio.requests import ApiRequest
from partner_portal.core.clean import clean_text
from partner_portal.core.http_client.exchange import Failure, HttpRequest, NoAnswer, exchange

# A thousand connected locations are some hundred kilobytes.
MAX_ANSWER_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True)
class AltegioClient:
    """A client that sends calls and reads answers. `timeout` is in seconds, for a whole call."""

    app_url: str
    api_url: str
    partner_token: str
    timeout: float

    def url(self, call: ApiRequest) -> str:
        """Return the full address of a call, without its query."""
        base = self.app_url if call.host == "app" else self.api_url
        return (origin(base) if call.at_root else base) + call.path

    def send(self, call: ApiRequest) -> Answer:
        """Make the call and return its answer. Never raises for what the network or Altegio does; follows no
        redirect.
        """
        query = urlencode(call.query, doseq=True)
        request = HttpRequest(
            call.method,
            self.url(call) + (f"?{query}" if query else ""),
            headers=self.headers(call) | {"Authorization": self._authorization(call)},
            body=None if call.body is None else to_json(call.body),
        )
        answer = exchange(request, timeout=self.timeout, max_body=MAX_ANSWER_BYTES, keep=True)
        if isinstance(answer, NoAnswer):
            return no_answer(_WHY[answer.failure].format(answer.why), was_sent=answer.failure is not Failure.NO_LINE)
        text = answer.body.decode("utf-8", "replace")
        return read_answer(answer.status, answer.headers, text, cut=answer.cut)

    def _authorization(self, call: ApiRequest) -> str:
        return f"Bearer {self.partner_token}" + (f", User {call.user_token}" if call.user_token else "")

    @staticmethod
    def headers(call: ApiRequest) -> dict[str, str]:
        """Return the headers of every partner call except the secret one (docs/altegio.md, head)."""
        headers = {"Accept": "application/vnd.api.v2+json", "User-Agent": "altegio-partner-portal"}
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        return headers


def origin(url: str) -> str:
    """Return the scheme, host and port of an address, as browsers compare them; "" if it has none."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return ""
    if not parts.hostname or port is None:
        return ""
    return f"{parts.scheme}://{parts.hostname}" + ("" if (parts.scheme, port) in _PLAIN_PORTS else f":{port}")


_PLAIN_PORTS = {("http", 80), ("https", 443)}


def to_json(body: object) -> bytes:
    """Return the body as sent: decimals stay exact. Raises ValueError for NaN."""
    encoded: str = simplejson.dumps(body, use_decimal=True, ensure_ascii=False, allow_nan=False)
    return clean_text(encoded).encode()


# Messages for staff, by failure.
_WHY = {
    Failure.NO_LINE: "No connection to Altegio. {}",
    Failure.TIMEOUT: "No complete answer from Altegio within the time-out",
    Failure.CLOSED: "The connection to Altegio failed or was closed without a complete answer",
    Failure.BROKEN: "What Altegio answered is no HTTP",
    Failure.UNSENDABLE: "The call to Altegio failed. {}",
}
