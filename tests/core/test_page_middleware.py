"""API calls skip the middleware that only pages need; the API's readable page is a page."""

import pytest
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries

from accounts.models import User
from partner_portal.core.page_middleware import POLICY_OF_CALLS

pytestmark = pytest.mark.django_db


@pytest.fixture
def signed_in(client: Client) -> Client:
    client.force_login(User.objects.create_user("emma@owner.example", "correct horse battery"))
    return client


def test_an_api_call_reads_no_session(signed_in: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        answer = signed_in.get("/api/v1/payments/")
    assert answer.status_code == 401
    assert "Cookie" not in answer.get("Vary", "")


@pytest.mark.parametrize("path", ["/api/v1/payments/", "/api/v1/payments", "/api/v1/nowhere/"])
def test_the_answer_to_an_api_call_may_load_nothing(client: Client, path: str) -> None:
    assert client.get(path)["Content-Security-Policy"] == POLICY_OF_CALLS


@pytest.mark.parametrize("path", ["/api/v1/docs/", "/account/sign-in/", "/api/", "/api/v2/"])
def test_a_page_has_the_pages_policy(client: Client, path: str) -> None:
    assert "default-src 'self'" in client.get(path)["Content-Security-Policy"]
