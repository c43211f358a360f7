"""Nobody gets a 500, or much memory, out of the portal by sending what no client of it would send."""

import base64
import tracemalloc
import zlib

import pytest

pytestmark = pytest.mark.django_db


def cursor(content: str) -> str:
    return base64.b64encode(content.encode()).decode()


@pytest.mark.parametrize("position", ["abc", "%00", "9" * 30, "-1", "%D9%A1"])
@pytest.mark.parametrize("resource", ["connections", "payments"])
def test_a_made_up_cursor_is_not_found(anybody, api_key, resource, position):
    query = {"cursor": cursor(f"p={position}")}
    answer = anybody.get(f"/api/v1/{resource}/", query, headers={"Authorization": f"Api-Key {api_key}"})
    assert answer.status_code == 404


@pytest.mark.parametrize("path", ["payments/", "sms/statuses/", "telephony/calls/", "connections/resolve-api-key/"])
@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_a_deeply_nested_body_is_refused(post, path, opening):
    assert post(path, opening * 100_000).status_code == 400


def test_a_body_that_is_too_large_is_not_read(post, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    assert post("sms/statuses/", b" " * 1001).status_code == 413


def test_a_compressed_body_is_not_unpacked(post):
    bomb = zlib.compress(b" " * 50_000_000)
    tracemalloc.start()
    answer = post("sms/statuses/", bomb, "application/json; charset=zlib")
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert answer.status_code == 400
    assert most < 5_000_000


@pytest.mark.parametrize("host", ["[x", "[::1", "]", "a:99999999", "a:b"])
def test_an_address_for_statuses_that_is_no_address(post, host):
    body = b'[{"id": 1, "status": 2, "delivery_callback_url": "https://%s"}]' % host.encode()
    assert post("sms/statuses/", body).status_code == 400


@pytest.mark.parametrize("key", ["\\000", "abcdefgh\\000", "\\377" * 10])
@pytest.mark.parametrize("path", ["/account/", "/admin/", "/connect/?salon_id=1"])
def test_a_session_cookie_with_any_bytes_is_no_session(anybody, path, key):
    answer = anybody.get(path, headers={"Cookie": f'sessionid="{key}"'})
    assert answer.status_code in (200, 302)


@pytest.mark.parametrize("key", ["\x00.a", "a\x00.b", "é.é", ".", "a.b.c"])
def test_an_api_key_with_any_bytes_is_no_key(anybody, key):
    answer = anybody.get("/api/v1/connections/", headers={"Authorization": f"Api-Key {key}"})
    assert answer.status_code == 401
