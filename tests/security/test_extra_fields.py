"""Unexpected fields change nothing, in forms or in the API."""

import json

import pytest
from django.test import Client

from accounts.models import User
from billing.models import Payment
from integrations.connections.models import Arrival, Connection
from integrations.messaging.models import MessageStatus
from sandbox import Sandbox
from tests.marketplace import AURORA_1, arrive
from tests.owner_forms import SIGN_UP, form_action
from tests.response import Api

pytestmark = pytest.mark.django_db
RIGHTS = {
    "is_staff": "on",
    "is_superuser": "true",
    "is_active": "1",
    "groups": "1",
    "user_permissions": "1",
    "id": "1",
}


def test_a_sign_up_makes_an_owner_and_nothing_more(altegio: Sandbox) -> None:
    page = arrive(Client(), altegio, AURORA_1, user_id=None)
    others = {"user": "1", "arrival": "1", "claim": "u:1", "salon_ids": "10201", "application": "2"}
    Client().post(form_action(page, "sign-up"), SIGN_UP | RIGHTS | others)
    user, arrival = User.objects.get(), Arrival.objects.get()
    assert (user.is_staff, user.is_superuser, user.is_active) == (False, False, True)
    assert not user.groups.exists()
    assert (arrival.salon_ids, arrival.application.altegio_id, arrival.user) == ([AURORA_1], 1, user)


def test_only_the_portal_sets_a_payments_state(connections: list[Connection], post: Api) -> None:
    payload = {"external_id": "x", "salon_id": AURORA_1, "amount": "1.00", "currency": "EUR"}
    payload |= dict.fromkeys(("paid_at", "period_from", "period_to"), "2026-01-01T00:00:00Z")
    wanted = {
        "id": 777,
        "status": "reported",
        "source": "admin",
        "altegio_payment_id": 5,
        "refunded_at": "2026-01-01",
    }
    answer = post("payments/", json.dumps(payload | wanted).encode())
    assert answer.status_code == 202
    payment = Payment.objects.get()
    assert (payment.status, payment.source, payment.altegio_payment_id) == ("queued", "api", None)
    assert payment.pk != 777


def test_an_extra_field_of_a_status_is_ignored(post: Api) -> None:
    body = json.dumps([{"id": 1, "status": 2, "batch": 77, "address": 5}])
    answer = post("sms/statuses/", body.encode())
    assert sorted(warning["field"] for warning in answer.json()["warnings"]) == ["0.address", "0.batch"]
    assert MessageStatus.objects.get().batch_id != 77


def test_a_connections_owner_and_state_are_not_in_an_uninstall(connections: list[Connection], post: Api) -> None:
    connection = connections[0]
    owner = connection.owner
    post(f"connections/{connection.pk}/uninstall/", b'{"state": "active", "owner": 1, "application": 2}')
    connection.refresh_from_db()
    assert (connection.owner, connection.application.altegio_id) == (owner, 1)
