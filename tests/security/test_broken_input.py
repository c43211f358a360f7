"""No malformed request costs the portal a 500 or much memory."""

import base64
import tracemalloc
import zlib

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import ApiKey
from integrations.altegio.signatures import hmac_hex
from integrations.connections.models import Installation
from integrations.webhooks.models import Event
from tests.response import Api

pytestmark = pytest.mark.django_db


def cursor(content: str) -> str:
    return base64.b64encode(content.encode()).decode()


@pytest.mark.parametrize("position", ["abc", "%00", "9" * 30, "-1", "%D9%A1"])
@pytest.mark.parametrize("resource", ["connections", "payments"])
def test_a_made_up_cursor_is_refused(anybody: Client, api_key: str, resource: str, position: str) -> None:
    query = {"cursor": cursor(f"p={position}")}
    answer = anybody.get(f"/api/v1/{resource}/", query, headers={"Authorization": f"Api-Key {api_key}"})
    assert answer.status_code == 400


@pytest.mark.parametrize("path", ["payments/", "sms/statuses/", "telephony/calls/", "connections/resolve-api-key/"])
@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_a_deeply_nested_body_is_refused(post: Api, path: str, opening: bytes) -> None:
    assert post(path, opening * 100_000).status_code == 400


def test_a_body_that_is_too_large_is_not_read(post: Api, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    assert post("sms/statuses/", b" " * 1001).status_code == 413


def test_a_compressed_body_is_not_unpacked(post: Api) -> None:
    bomb = zlib.compress(b" " * 50_000_000)
    tracemalloc.start()
    answer = post("sms/statuses/", bomb, "application/json; charset=zlib")
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert answer.status_code == 400
    assert most < 5_000_000


@pytest.mark.parametrize(
    "path", ["/brand/%00", "/brand/a%00.png", "/brand/00ff00-%00.css", "/account/open/1%00/", "/connect/status/%00/"]
)
def test_a_nul_in_the_path_of_a_page_is_refused(anybody: Client, path: str) -> None:
    assert anybody.get(path).status_code == 400


@pytest.mark.parametrize("path", ["customers/%00", "customers/a%00b/", "sms/messages/%00", "locations/%00/lines"])
def test_a_nul_in_the_path_of_a_call_is_refused(anybody: Client, path: str) -> None:
    _key, secret = ApiKey.objects.create_key(name="all", scopes=["customers", "sms", "telephony"])
    answer = anybody.get(f"/api/v1/{path}", headers={"Authorization": f"Api-Key {secret}"})
    assert (answer.status_code, list(answer.json())) == (400, ["detail"])


@pytest.mark.parametrize("host", ["[x", "[::1", "]", "a:99999999", "a:b"])
def test_an_invalid_status_address_is_refused(post: Api, host: str) -> None:
    body = b'[{"id": 1, "status": 2, "delivery_callback_url": "https://%s"}]' % host.encode()
    assert post("sms/statuses/", body).status_code == 400


@pytest.mark.parametrize("key", ["\\000", "abcdefgh\\000", "\\377" * 10])
@pytest.mark.parametrize("path", ["/account/", "/admin/", "/connect/?salon_id=1"])
def test_a_session_cookie_with_any_bytes_is_no_session(anybody: Client, path: str, key: str) -> None:
    answer = anybody.get(path, headers={"Cookie": f'sessionid="{key}"'})
    assert answer.status_code in (200, 302)


@pytest.mark.parametrize("key", ["\x00.a", "a\x00.b", "é.é", ".", "a.b.c"])
def test_an_api_key_with_any_bytes_is_no_key(anybody: Client, key: str) -> None:
    answer = anybody.get("/api/v1/connections/", headers={"Authorization": f"Api-Key {key}"})
    assert answer.status_code == 401


DEEP = b'{"a":' * 980 + b"1" + b"}" * 980


@pytest.mark.parametrize("opening", [b"[", b'{"data":'])
@pytest.mark.parametrize("depth", [101, 500, 980, 5_000])
def test_altegios_endpoints_share_one_depth_limit(
    anybody: Client, keys: Installation, opening: bytes, depth: int
) -> None:
    """What one endpoint accepts, every later step can read."""
    closing = b"]" if opening == b"[" else b"}"
    for path in ("/altegio/callback/", f"/altegio/events/{keys.events_key}/"):
        answer = anybody.generic("POST", path, opening * depth + b"1" + closing * depth, "application/json")
        assert (answer.status_code, "deep" in answer.json()["detail"]) == (400, True)
    assert not Event.objects.exists()


def test_signed_user_data_nested_too_deep_is_refused(anybody: Client) -> None:
    data = base64.urlsafe_b64encode(DEEP).decode()
    query: dict[str, str | int] = {
        "salon_id": 1,
        "user_data": data,
        "user_data_sign": hmac_hex("partner-token-of-the-tests", DEEP),
    }
    assert anybody.get("/connect/", query).status_code == 400


@pytest.mark.parametrize("body", [b'["\\u0000"]', b'[{"id": "\\ud83d"}]', b'[{"\\udc00": 1}]', b'["a", ["\\u0000"]]'])
@pytest.mark.parametrize("path", ["payments/", "sms/statuses/", "telephony/calls/", "connections/resolve-api-key/"])
def test_the_api_refuses_text_that_no_database_stores(post: Api, path: str, body: bytes) -> None:
    assert post(path, body).status_code == 400


def test_a_duplicate_name_is_refused(post: Api) -> None:
    answer = post("payments/", b'{"amount": "1.00", "amount": "2.00"}')
    assert answer.status_code == 400
    assert "twice" in answer.json()["detail"]
