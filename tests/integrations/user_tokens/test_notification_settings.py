"""Notification settings are read with a user token beside the partner's."""

from collections.abc import Callable

import pytest
from django.test import Client

from integrations.connections.models import Connection, Location
from integrations.outbox.models import Attempt, OutgoingCall
from integrations.user_tokens.call_kinds import fetch_notification_settings
from integrations.user_tokens.models import UserToken
from sandbox import Sandbox
from tests.working import Work

pytestmark = pytest.mark.django_db


@pytest.fixture
def token(connect: Callable[..., Connection]) -> UserToken:
    connect(10101)
    return UserToken.objects.create(
        location=Location.objects.get(altegio_id=10101), altegio_user_id=9001, token="emmas-user-token"
    )


def test_the_settings_of_location_and_user_are_fetched(altegio: Sandbox, token: UserToken, work: Work) -> None:
    fetch_notification_settings(token)
    work()
    token.refresh_from_db()
    assert token.types[0]["title"] == "New appointment"
    assert token.user_settings["mode"] == "custom"
    assert token.user_settings["notification_types"][0]["sms"] is True
    assert token.error == ""


def test_a_void_token_is_reported_and_stops_nothing(altegio: Sandbox, token: UserToken, work: Work) -> None:
    altegio.fault("error", "notification_types", status=401)
    fetch_notification_settings(token)
    work()
    token.refresh_from_db()
    assert token.error
    assert token.user_settings


def test_an_answer_of_another_shape_is_reported_and_changes_nothing(
    altegio: Sandbox, token: UserToken, work: Work
) -> None:
    fetch_notification_settings(token)
    work()
    altegio.fault("error", "notification_users", status=200, body={"success": True, "data": [], "meta": []})
    fetch_notification_settings(token)
    work()
    token.refresh_from_db()
    assert token.user_settings["mode"] == "custom"
    assert "no settings of this user" in token.error


def test_the_settings_are_shown_a_line_for_each_type(admin_client: Client, token: UserToken, work: Work) -> None:
    fetch_notification_settings(token)
    work()
    page = admin_client.get(f"/admin/user_tokens/usertoken/{token.pk}/change/").content.decode()
    assert "mode: custom" in page
    assert page.count("sms: True") == 3


def test_the_user_token_stands_in_no_record_and_is_encrypted(altegio: Sandbox, token: UserToken, work: Work) -> None:
    fetch_notification_settings(token)
    work()
    stored = [*OutgoingCall.objects.values_list(), *Attempt.objects.values_list()]
    assert "emmas-user-token" not in repr(stored)
