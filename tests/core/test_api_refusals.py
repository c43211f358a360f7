"""The API's refusals say what to do instead."""

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import ApiKey

pytestmark = pytest.mark.django_db
ONE_OF_EACH_SCOPE = {"read": "connections/", "billing": "payments/"}


def headers(*scopes: str) -> dict[str, str]:
    _key, secret = ApiKey.objects.create_key(name="a system", scopes=list(scopes))
    return {"Authorization": f"Api-Key {secret}"}


@pytest.mark.parametrize(("scope", "path"), ONE_OF_EACH_SCOPE.items())
def test_a_403_names_the_scope(client: Client, scope: str, path: str) -> None:
    answer = client.get(f"/api/v1/{path}", headers=headers("sms"))
    assert answer.status_code == 403
    assert f'"{scope}"' in answer.json()["detail"]


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/xml", "text/json", "x"])
def test_a_415_names_the_content_type_to_send(client: Client, content_type: str) -> None:
    answer = client.post("/api/v1/payments/", b"a=1", content_type=content_type, headers=headers("billing"))
    assert answer.status_code == 415
    assert "application/json" in answer.json()["detail"]


@pytest.mark.parametrize("authorization", [None, "Bearer x", "secret"])
def test_a_401_names_the_header_to_send(client: Client, authorization: str | None) -> None:
    sent = {"Authorization": authorization} if authorization else {}
    answer = client.get("/api/v1/payments/", headers=sent)
    assert answer.status_code == 401
    assert "Authorization: Api-Key <key>" in answer.json()["detail"]


@pytest.mark.parametrize("accept", ["*", "text/html", "text/plain", "application/xml;q=0.9"])
def test_an_outdated_accept_header_gets_json(client: Client, accept: str) -> None:
    answer = client.get("/api/v1/payments/", headers=headers("billing") | {"Accept": accept})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")


@pytest.mark.parametrize("path", ["notifications/", "calls/"])
def test_an_exchange_that_sends_a_form_is_pointed_to_its_address(client: Client, path: str) -> None:
    form = "application/x-www-form-urlencoded"
    answer = client.post(f"/api/v1/telephony/{path}", b"a=1", content_type=form, headers=headers("telephony"))
    assert "/telephony/exchanges/" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("scope", "path"), [("sms", "sms/messages/send-1/"), ("billing", "payments/9/"), ("read", "connections/9/")]
)
def test_a_404_speaks_of_ids_and_not_of_tables(client: Client, scope: str, path: str) -> None:
    answer = client.get(f"/api/v1/{path}", headers=headers(scope))
    assert (answer.status_code, answer.json()) == (
        404,
        {"detail": "Nothing here has this id. The lists show the ids."},
    )


def test_a_compressed_body_is_refused_as_such(client: Client) -> None:
    packed = headers("billing") | {"Content-Encoding": "gzip"}
    answer = client.post("/api/v1/payments/", b"\x1f\x8b", content_type="application/json", headers=packed)
    assert answer.status_code == 415
    assert "without Content-Encoding" in answer.json()["detail"]


def test_an_unknown_host_is_refused_in_json(client: Client, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["localhost"]
    answer = client.get("/api/v1/payments/", headers=headers("billing") | {"Host": "portal.internal"})
    assert answer.status_code == 400
    assert "ALLOWED_HOSTS" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("address", "name", "says"),
    [
        ("payments/?cursor=x", "cursor", "begin without one"),
        ("payments/?cursor=cD14", "cursor", "begin without one"),
        ("payments/1/?expand=x", "expand", "takes none"),
        ("payments/1/?cursor=x", "cursor", "takes none"),
    ],
)
def test_an_unsupported_parameter_is_explained(client: Client, address: str, name: str, says: str) -> None:
    answer = client.get(f"/api/v1/{address}", headers=headers("billing"))
    assert answer.status_code == 400
    assert says in answer.json()[name][0]


@pytest.mark.parametrize("method", ["options", "post", "put", "delete"])
def test_the_readable_page_is_read_and_nothing_else(client: Client, method: str) -> None:
    assert getattr(client, method)("/api/v1/docs/").status_code == 405
