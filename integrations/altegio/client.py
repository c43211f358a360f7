"""The one HTTP door to Altegio: headers, time-outs, no redirects, bounded answers."""

import threading
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
import simplejson
from requests.auth import AuthBase

from integrations.altegio.answers import Answer, no_answer, read_answer
from integrations.altegio.calls import Call

# A thousand connected locations are some hundred kilobytes.
MOST_ANSWER_BYTES = 8 * 1024 * 1024
CONNECT_TIMEOUT = 3.05


class _Tokens(AuthBase):
    """The bearer header; as an auth object, so that no .netrc can replace it."""

    def __init__(self, partner_token: str, user_token: str) -> None:
        self.value = f"Bearer {partner_token}" + (f", User {user_token}" if user_token else "")

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self.value
        return request


@dataclass(frozen=True)
class AltegioClient:
    """Sends calls and reads answers. `timeout` is in seconds, for a whole call."""

    app_url: str
    api_url: str
    partner_token: str
    timeout: float

    def url(self, call: Call) -> str:
        """The full address of a call."""
        base = self.app_url if call.host == "app" else self.api_url
        return (origin(base) if call.at_root else base) + call.path

    def send(self, call: Call) -> Answer:
        """Make the call. Never raises for what the network or Altegio does; never follows a redirect."""
        ends_at = time.monotonic() + self.timeout
        try:
            with _session().request(
                call.method,
                self.url(call),
                params=dict(call.query),
                data=None if call.body is None else to_json(call.body),
                headers=self.headers(call),
                auth=_Tokens(self.partner_token, call.user_token),
                timeout=(min(CONNECT_TIMEOUT, self.timeout), self.timeout),
                allow_redirects=False,
                stream=True,
            ) as response:
                text = _read(response, ends_at)
        except requests.RequestException as error:
            return no_answer(_why(error))
        return read_answer(response.status_code, response.headers, text)

    @staticmethod
    def headers(call: Call) -> dict[str, str]:
        """The headers of every partner call, less the secret one (ALTEGIO.md, head)."""
        headers = {"Accept": "application/vnd.api.v2+json", "User-Agent": "altegio-partner-portal"}
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        return headers


def origin(url: str) -> str:
    """Scheme, host and port of an address, as browsers compare them; "" for what has none."""
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
    """The body as sent: decimals stay exact, NaN is refused."""
    encoded: str = simplejson.dumps(body, use_decimal=True, ensure_ascii=False, allow_nan=False)
    return encoded.encode()


_local = threading.local()


def _session() -> requests.Session:
    """Each thread keeps its connections open between calls."""
    if not hasattr(_local, "session"):
        _local.session = requests.Session()
    session: requests.Session = _local.session
    return session


def _read(response: requests.Response, ends_at: float) -> str:
    parts, size = [], 0
    for part in response.iter_content(64 * 1024):
        parts.append(part)
        size += len(part)
        if size > MOST_ANSWER_BYTES:
            raise requests.RequestException("The answer is too large.")
        if time.monotonic() > ends_at:
            raise requests.Timeout("The answer came too slowly.")
    return b"".join(parts).decode("utf-8", "replace").replace("\x00", "")


def _why(error: requests.RequestException) -> str:
    """What happened on the line, without addresses (they may hold a token)."""
    if isinstance(error, requests.ConnectTimeout):
        return "No connection to Altegio within the time-out"
    if isinstance(error, requests.Timeout):
        return "No answer from Altegio within the time-out"
    if isinstance(error, requests.ConnectionError):
        return "The connection to Altegio failed or was closed without an answer"
    return f"The call to Altegio failed: {type(error).__name__}"
