"""The API's refusals say what to do instead."""

import pytest

from accounts.models import ApiKey

pytestmark = pytest.mark.django_db
ONE_OF_EACH_SCOPE = {"read": "connections/", "billing": "payments/"}


def headers(*scopes: str) -> dict[str, str]:
    _key, secret = ApiKey.objects.create_key(name="a system", scopes=list(scopes))
    return {"Authorization": f"Api-Key {secret}"}


@pytest.mark.parametrize(("scope", "path"), ONE_OF_EACH_SCOPE.items())
def test_a_403_names_the_scope(client, scope, path):
    answer = client.get(f"/api/v1/{path}", headers=headers("sms"))
    assert answer.status_code == 403
    assert f'"{scope}"' in answer.json()["detail"]


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/xml", "text/json", "x"])
def test_a_415_names_the_content_type_to_send(client, content_type):
    answer = client.post("/api/v1/payments/", b"a=1", content_type=content_type, headers=headers("billing"))
    assert answer.status_code == 415
    assert "application/json" in answer.json()["detail"]
