"""A CRM token without its chain's number is kept and reported, and not dropped silently."""

import re

import pytest
from django.test import Client

from integrations.alerts.models import Alert
from integrations.connections.models import Application, Arrival, Connection
from sandbox import Sandbox
from tests.marketplace import AURORA_1, EMMA, TELEPHONY
from tests.working import Work

pytestmark = pytest.mark.django_db


def visit(client: Client, altegio: Sandbox, *, without: str) -> None:
    url = altegio.arrival_url(AURORA_1, application_id=TELEPHONY, user_id=EMMA)
    client.get(re.sub(rf"{without}=[^&]*&?", "", url[url.index("/connect/") :]))


@pytest.fixture
def granted(altegio: Sandbox) -> None:
    Application.objects.create(altegio_id=TELEPHONY, kind="telephony")
    altegio.grant(AURORA_1, application_id=TELEPHONY, user_id=EMMA)


def test_a_lone_token_is_kept_with_its_arrival_and_reported_once(
    client: Client, altegio: Sandbox, work: Work, granted: None
) -> None:
    visit(client, altegio, without="salon_group_id")
    work()
    assert Connection.objects.get().state == "active"
    assert Arrival.objects.get().crm_token
    visit(client, altegio, without="salon_group_id")
    assert "salon_group_id" in Alert.objects.get(kind="review").text
    assert Arrival.objects.get().crm_token not in Alert.objects.get().text


@pytest.mark.parametrize("without", ["crm_token", "nothing"])
def test_a_chain_with_or_without_its_token_is_no_lone_token(
    client: Client, altegio: Sandbox, work: Work, granted: None, without: str
) -> None:
    visit(client, altegio, without=without)
    work()
    assert not Alert.objects.exists()
