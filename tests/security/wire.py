"""Requests as an attacker makes them: nearly right, byte by byte, past every client library.

`arrivals()`, `callbacks()` and `events()` generate them; `call()` sends one to the whole portal as gunicorn would.
"""

import base64
import hashlib
import hmac
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_from_bytes

from hypothesis import strategies as st

TOKEN = "partner-token-of-the-tests"
# The ids that exist in the tests of the addresses, so that generated ones hit.
APPLICATION, LOCATION, OWNER = 1, 10101, 9001


@dataclass(frozen=True)
class Wire:
    """One request as it is on the wire."""

    path: str
    query: str = ""
    method: str = "GET"
    body: bytes = b""
    environ: dict[str, Any] = field(default_factory=dict)


def call(application: Callable[..., Any], wire: Wire) -> int:
    """Send the request and return the status; the answer's body is read to its end."""
    answer: list[int] = []
    environ = {
        "REQUEST_METHOD": wire.method,
        "PATH_INFO": wire.path,
        "QUERY_STRING": wire.query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": str(len(wire.body)),
        "wsgi.input": io.BytesIO(wire.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.url_scheme": "http",
    } | wire.environ
    chunks = application(environ, lambda status, *_: answer.append(int(status[:3])))
    try:
        for _chunk in chunks:
            pass
    finally:
        if close := getattr(chunks, "close", None):
            close()
    return answer[0]


# --- text that software chokes on -----------------------------------------------------------------
HARD_BYTES = st.sampled_from(
    [
        b"\x00",
        b"\xc0\x80",  # NUL, overlong
        b"\xe0\x80\xaf",  # "/", overlong
        b"\xed\xa0\x80",  # half of a surrogate pair
        b"\xf4\x90\x80\x80",  # beyond Unicode
        b"\xff\xfe",
        b"\xef\xbb\xbf",  # a byte order mark
        "\u202e\u2066".encode(),
        "ſıİK".encode(),  # e-mails whose upper or lower case is an ASCII e-mail
        "٣".encode(),
        b"\r\nX-Injected: 1",
        b"<script>alert(1)</script>",
        b"'; DROP TABLE x; --",
        b"{{7*7}}{% debug %}",
        b"%s%n${jndi:x}",
        b"../../etc/passwd",
    ]
)
HARD_TEXT = st.one_of(HARD_BYTES.map(lambda raw: raw.decode("utf-8", "replace")), st.text(max_size=30))
IDS = st.one_of(
    st.sampled_from([APPLICATION, LOCATION, OWNER, LOCATION + 1]),
    st.integers(-5, 20),
    st.sampled_from([2**31, 2**63 - 1, 2**63, 10**18 - 1, 10**18, 10**30]),
)

# Types whose parameters choose how bytes are read: any codec of Python's, or an unknown one (RFC 2231).
HARD_TYPES = st.builds(
    "{}; {}".format,
    st.sampled_from(["text/plain", "application/json", "multipart/form-data; boundary=x", "*/*", "x"]),
    st.sampled_from(
        [
            "charset=hex",
            "charset=zlib",
            "charset=utf-16",
            "charset=nosuch",
            "charset*=nosuch''d",
            "c*0*=nosuch''d; c*1=e",
            "q*=hex''1",
            "boundary*=nosuch''d",
            'boundary="\xff',
            "charset",
            "=;;=",
            "q=nan",
        ]
    ),
)


def hard_types() -> st.SearchStrategy[dict[str, Any]]:
    """Generate ordinary headers, sometimes with types that break parsers."""
    headers = st.fixed_dictionaries({}, optional={"CONTENT_TYPE": HARD_TYPES, "HTTP_ACCEPT": HARD_TYPES})
    return st.one_of(st.just({}), st.just({}), st.just({}), headers)


# --- JSON that is nearly right --------------------------------------------------------------------
# Valid JSON that breaks parsers.
LITERALS = st.sampled_from(
    [
        b"1e999",
        b"1E-999999999",
        b"1e999999999999999999999",
        b"-0",
        b"9" * 5000,
        b"0." + b"9" * 3000,
        b'"\\ud800"',
        b'"\\u0000"',
        b'"\\udc00\\ud800"',
        b'"' + b"x" * 9000 + b'"',
        b"[" * 500 + b"]" * 500,
        b'{"a":1,"a":[2]}',
    ]
)
# Text that only looks like JSON.
NO_JSON = st.sampled_from(
    [b"NaN", b"-Infinity", b"0" * 50, b"[" * 2000, b'{"a":' * 2000, b"", b"tru", b"\xff", b'"\xc0\x80"', b'"\\x"']
)


def render(value: object) -> bytes:
    """Render a value as JSON: bytes stay as they are, and lists of pairs become objects with repeated names."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, tuple):
        return b"{" + b",".join(render(name) + b":" + render(held) for name, held in value) + b"}"
    if isinstance(value, list):
        return b"[" + b",".join(map(render, value)) + b"]"
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


SCALARS = st.one_of(st.none(), st.booleans(), IDS, IDS.map(str), st.floats(allow_nan=False), HARD_TEXT, LITERALS)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.lists(st.tuples(HARD_TEXT, inner), max_size=4).map(tuple)
    ),
    max_leaves=6,
)


@st.composite
def objects(draw: st.DrawFn, right: dict[str, Any]) -> bytes:
    """Generate a JSON object with some of its fields mutated, missing, doubled or joined by others."""
    fields: list[tuple[object, object]] = list(right.items())
    for name in draw(st.lists(st.sampled_from(sorted(right)), max_size=1)):
        fields = [(held, value) for held, value in fields if held != name]
        if draw(st.booleans()):
            fields.append((name, draw(VALUES)))
    fields += draw(st.lists(st.tuples(st.one_of(st.sampled_from(sorted(right)), HARD_TEXT), VALUES), max_size=2))
    return damaged(draw, render(tuple(fields)))


def damaged(draw: st.DrawFn, raw: bytes) -> bytes:
    """Generate mostly the bytes themselves, sometimes cut or with something difficult inside."""
    match draw(st.integers(0, 20)):
        case 1:
            return raw[: draw(st.integers(0, len(raw)))]
        case 2:
            at = draw(st.integers(0, len(raw)))
            inside: bytes = draw(st.one_of(HARD_BYTES, NO_JSON))
            return raw[:at] + inside + raw[at:]
    return raw


# --- the arrival ----------------------------------------------------------------------------------
PERSON: dict[str, Any] = {
    "id": OWNER,
    "name": "Emma",
    "phone": "79990001122",
    "email": "emma@example.com",
    "salon_name": "Aurora",
}
EMAILS = st.sampled_from(
    ["emma@example.com", "EMMA@example.com", "staff@example.com", "ſtaff@example.com", "x@y", "@", "a@b\r\nBcc: c@d"]
)


@st.composite
def _signed(draw: st.DrawFn) -> list[tuple[str, bytes]]:
    """Generate user data with a real signature, sometimes with another one."""
    person = PERSON | draw(st.fixed_dictionaries({}, optional={"email": EMAILS, "name": HARD_TEXT, "id": IDS}))
    right = render(tuple(person.items()))
    raw = draw(st.one_of(objects(person), st.just(right), VALUES.map(render)))
    encode = draw(st.sampled_from([base64.urlsafe_b64encode, base64.b64encode] * 4 + [base64.b85encode]))
    text = damaged(draw, encode(raw))
    sign = hmac.new(TOKEN.encode(), raw, hashlib.sha256).hexdigest().encode()
    return [("user_data", text), ("user_data_sign", damaged(draw, sign))]


_MOSTLY = st.sampled_from([True, True, True, False])
_LIST_NAMES = st.sampled_from(
    ["salon_id", "salon_ids", "salon_ids[]", "salon_ids[0]", "salon_ids[9999999999]", "salon_ids[][]", "salon_ids[a"]
)
_ID_BYTES = st.one_of(
    IDS.map(lambda number: str(number).encode()),
    st.lists(IDS, min_size=1, max_size=30).map(lambda numbers: ",".join(map(str, numbers)).encode()),
    HARD_BYTES,
)
_OTHERS = st.one_of(
    st.tuples(st.sampled_from(["salon_group_id", "crm_token", "user_data", "user_data_sign"]), HARD_BYTES),
    st.tuples(st.just("salon_group_id"), IDS.map(lambda number: str(number).encode())),
    st.tuples(st.just("crm_token"), st.binary(max_size=600)),
    st.tuples(HARD_TEXT, HARD_BYTES),
)


@st.composite
def arrivals(draw: st.DrawFn) -> Wire:
    """Generate redirects of Altegio's, and what an attacker may make of them."""
    pairs: list[tuple[str, bytes]] = [("salon_id", str(LOCATION).encode())] if draw(_MOSTLY) else []
    if draw(_MOSTLY):
        pairs += draw(_signed())
    if not draw(_MOSTLY):
        pairs += draw(st.lists(st.tuples(_LIST_NAMES, _ID_BYTES), max_size=3))
        pairs = draw(st.permutations(pairs + draw(st.lists(_OTHERS, max_size=2))))
    escape = draw(st.sampled_from([_escaped] * 6 + [_bare, _twice]))
    query = "&".join(f"{escape(name.encode('utf-8', 'replace'))}={escape(value)}" for name, value in pairs)
    path = draw(st.sampled_from(["/connect/"] * 5 + ["/connect/1/", "/connect/999999999999999999/"]))
    method = draw(st.sampled_from(["GET"] * 9 + ["HEAD", "POST", "OPTIONS"]))
    return Wire(path, query, method, environ=draw(_cookies()) | draw(hard_types()))


def _escaped(raw: bytes) -> str:
    return quote_from_bytes(raw)


def _twice(raw: bytes) -> str:
    return quote_from_bytes(quote_from_bytes(raw).encode())


def _bare(raw: bytes) -> str:
    return raw.decode("latin-1")


def _cookies() -> st.SearchStrategy[dict[str, Any]]:
    value = st.one_of(HARD_BYTES.map(_bare), st.sampled_from(['"\\000abcdefgh"', "a" * 32, "a:b:c", "x" * 5000]))
    name = st.sampled_from(["sessionid", "csrftoken", "arrival", "django_language", "messages"])
    pairs = st.lists(st.tuples(name, value), max_size=2)
    cookies = pairs.map(lambda found: {"HTTP_COOKIE": "; ".join(f"{key}={held}" for key, held in found)})
    language = st.sampled_from(["ru", "x" * 400, "en;q=" + "9" * 300, "*,,;=", "\xff", "uk-UA,pt;q=0.5"])
    return st.one_of(st.just({}), cookies, language.map(lambda text: {"HTTP_ACCEPT_LANGUAGE": text}))


# --- callbacks and events -------------------------------------------------------------------------
CALLBACK = {"salon_id": LOCATION, "application_id": APPLICATION, "event": "uninstall", "partner_token": TOKEN}
EVENT = {"company_id": LOCATION, "resource": "record", "resource_id": 1, "status": "create", "data": {"id": 1}}
_AMOUNTS = st.sampled_from(["100.00", "1e400", "-1", "0", "9" * 40, "NaN", "1.005", ""])


@st.composite
def _payments(draw: st.DrawFn) -> bytes:
    amount = draw(_AMOUNTS)
    sign = hmac.new(TOKEN.encode(), f"salon_id={LOCATION}&amount={amount}".encode(), hashlib.sha256).hexdigest()
    payload = CALLBACK | {"event": "payment", "amount": amount, "sign": sign, "currency_iso": "EUR", "type": "x"}
    payload |= {"period_from": "2026-01-01 00:00:00", "period_to": "2026-02-01 00:00:00"}
    return bytes(draw(st.one_of(objects(payload), st.just(render(tuple(payload.items()))))))


@st.composite
def _frames(draw: st.DrawFn, body: bytes) -> dict[str, Any]:
    """Generate how a body is announced: rightly, too long, too short, in chunks, under any type."""
    length = draw(
        st.sampled_from([str(len(body))] * 20 + ["", "0", "-1", "x", " 7", "9" * 30, str(len(body) + 5), "1_0", "٣"])
    )
    kinds = ["application/json"] * 9 + ["text/plain", "", "application/x-www-form-urlencoded", "multipart/form-data"]
    kinds += ["multipart/form-data; boundary=" + "b" * 300, "application/json; charset=zlib", "\xff/\xff; =;;charset"]
    environ: dict[str, Any] = {"CONTENT_LENGTH": length, "CONTENT_TYPE": draw(st.sampled_from(kinds))}
    if draw(st.integers(0, 5)) == 0:
        chunked = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
        environ |= {**chunked, "CONTENT_LENGTH": draw(st.sampled_from(["", length]))}
    return environ | draw(hard_types())


@st.composite
def callbacks(draw: st.DrawFn) -> Wire:
    """Generate lifecycle callbacks."""
    names = st.sampled_from(["uninstall"] * 3 + ["freeze", "payment", "", "x" * 300, "\x00", "\ud800"])
    payload = CALLBACK | {"event": draw(names)}
    body = draw(st.one_of(objects(payload), _payments(), VALUES.map(render), st.binary(max_size=60)))
    method = draw(st.sampled_from(["POST"] * 8 + ["GET", "PUT"]))
    return Wire("/altegio/callback/", "", method, body, draw(_frames(body)))


@st.composite
def events(draw: st.DrawFn, key: str) -> Wire:
    """Generate entity events, mostly to an existing address."""
    one = objects(EVENT)
    body = draw(st.one_of(one, st.lists(one, max_size=3).map(render), VALUES.map(render), st.binary(max_size=60)))
    keys = st.one_of(st.just(key), st.just(key), HARD_BYTES.map(_bare), st.text(max_size=40).map(_latin))
    method = draw(st.sampled_from(["POST"] * 8 + ["GET", "DELETE"]))
    return Wire(f"/altegio/events/{draw(keys)}/", "", method, body, draw(_frames(body)))


@st.composite
def message_requests(draw: st.DrawFn, key: str) -> Wire:
    """Generate messages to be sent, mostly with an existing key."""
    one = {"id": 1, "phone": "36301234567"}
    destination = st.one_of(st.just(render(tuple(one.items()))), objects(one))
    some = st.one_of(destination, st.lists(destination, max_size=3).map(render), VALUES)
    address = "https://app.alteg.io/smsprovider/status/callback/x"
    right = {
        "from": "Aurora",
        "text": "x",
        "type": "sms",
        "dispatch_type": "service",
        "delivery_callback_url": address,
    }
    payload = right | {"destination_params": draw(some)}
    whole = st.just(render(tuple(payload.items())))
    body = draw(st.one_of(whole, objects(payload), VALUES.map(render), st.binary(max_size=60)))
    keys = st.one_of(st.just(f"Bearer {key}"), st.just(f"Bearer {key}"), HARD_BYTES.map(_bare))
    method = draw(st.sampled_from(["POST"] * 8 + ["GET", "PUT"]))
    return Wire("/altegio/messages/", "", method, body, draw(_frames(body)) | {"HTTP_AUTHORIZATION": draw(keys)})


@st.composite
def looks(draw: st.DrawFn, paths: list[str]) -> Wire:
    """Generate a GET of one of these addresses, or a form sent to it, under a type that breaks parsers."""
    method, body = draw(st.sampled_from([("GET", b""), ("POST", b"a=b"), ("POST", b'--x\r\n\r\n"b"\r\n--x--')]))
    types = st.fixed_dictionaries({"CONTENT_TYPE": HARD_TYPES}, optional={"HTTP_ACCEPT": HARD_TYPES})
    return Wire(draw(st.sampled_from(paths)), "page=%C3%A9", method, body, draw(types))


def _latin(text: str) -> str:
    return text.encode("utf-8", "replace").decode("latin-1")
