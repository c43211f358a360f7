"""What Prometheus sees: who may ask, what the numbers are, what they cost."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from accounts.emails import queue_email
from accounts.models import User
from integrations.alerts.models import Alert
from integrations.connections.models import Connection
from integrations.outbox.models import OutgoingCall
from integrations.outbox.token_stop import stop_token
from partner_portal.core.watch import CHECKS
from sandbox import Sandbox
from tests.marketplace import AURORA_1, AURORA_2, arrive
from tests.not_none import not_none

pytestmark = pytest.mark.django_db
TOKEN = "only-for-prometheus"


@pytest.fixture
def scrape(client: Client, settings: Settings) -> Callable[[], dict[str, float]]:
    """`scrape()` is what the page says: `{'name{label="value"}': number}`."""
    settings.METRICS_TOKEN = TOKEN

    def run() -> dict[str, float]:
        answer = client.get("/metrics/", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200
        lines = re.findall(r"^(\w+(?:{[^}]*})?) (\S+)$", answer.content.decode(), re.MULTILINE)
        return {name: float(number) for name, number in lines}

    return run


def test_without_a_token_in_the_settings_there_is_no_page(client: Client) -> None:
    assert client.get("/metrics/", headers={"Authorization": "Bearer "}).status_code == 404


@pytest.mark.parametrize("payload", ["", "Bearer", "Bearer wrong", TOKEN, "Bearer токен"])
def test_only_the_bearer_of_the_token_sees_them(client: Client, settings: Settings, payload: str) -> None:
    settings.METRICS_TOKEN = TOKEN
    answer = client.get("/metrics/", headers={"Authorization": payload})
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert b"portal_" not in answer.content


def test_calls_that_wait_and_calls_that_ended(
    client: Client, altegio: Sandbox, work: Callable[..., None], scrape: Callable[[], dict[str, float]]
) -> None:
    arrive(client, altegio, [AURORA_1, AURORA_2])
    assert scrape()['portal_calls_waiting{kind="activate",state="queued"}'] == 2
    work()

    found = scrape()
    assert 'portal_calls_waiting{kind="activate",state="queued"}' not in found
    assert found['portal_calls_ended_last_hour{kind="activate",outcome="done"}'] == 2


def test_what_ended_long_ago_is_not_counted(
    client: Client, altegio: Sandbox, work: Callable[..., None], scrape: Callable[[], dict[str, float]]
) -> None:
    arrive(client, altegio, AURORA_1)
    work()
    OutgoingCall.objects.update(finished_at=timezone.now() - timedelta(hours=2))
    Connection.objects.update(activated_at=timezone.now() - timedelta(hours=2))
    found = scrape()
    assert not [name for name in found if name.startswith("portal_calls_ended")]
    assert found['portal_activation_seconds_bucket{le="+Inf"}'] == 0


def test_how_late_the_oldest_call_is(
    client: Client, altegio: Sandbox, scrape: Callable[[], dict[str, float]]
) -> None:
    arrive(client, altegio, [AURORA_1, AURORA_2])
    OutgoingCall.objects.filter(pk=OutgoingCall.objects.earliest("pk").pk).update(
        due_at=timezone.now() - timedelta(seconds=90)
    )
    found = scrape()
    assert 90 <= found['portal_oldest_overdue_seconds{priority="activation"}'] < 120
    assert found['portal_oldest_overdue_seconds{priority="money"}'] == 0


def test_the_time_from_arrival_to_activation(
    client: Client, altegio: Sandbox, work: Callable[..., None], scrape: Callable[[], dict[str, float]]
) -> None:
    arrive(client, altegio, [AURORA_1, AURORA_2])
    work()
    first, second = Connection.objects.all()
    for connection, seconds in ((first, 4), (second, 100)):
        arrived_at = not_none(connection.activated_at) - timedelta(seconds=seconds)
        Connection.objects.filter(pk=connection.pk).update(arrived_at=arrived_at)

    found = scrape()
    buckets = {le: found[f'portal_activation_seconds_bucket{{le="{le}"}}'] for le in ("2.0", "5.0", "120.0", "+Inf")}
    assert buckets == {"2.0": 0, "5.0": 1, "120.0": 2, "+Inf": 2}
    assert found["portal_activation_seconds_gsum"] == pytest.approx(104)


def test_connections_that_run_out_of_time(
    client: Client, altegio: Sandbox, scrape: Callable[[], dict[str, float]]
) -> None:
    arrive(client, altegio, [AURORA_1, AURORA_2])
    first, second = Connection.objects.all()
    for connection, minutes in ((first, 5), (second, 20)):
        deadline_at = timezone.now() + timedelta(minutes=minutes)
        Connection.objects.filter(pk=connection.pk).update(deadline_at=deadline_at)
    found = scrape()
    assert found['portal_connections_running_out{within="600"}'] == 1
    assert found['portal_connections_running_out{within="1800"}'] == 2


def test_how_much_of_the_budget_of_calls_is_used(
    client: Client,
    altegio: Sandbox,
    work: Callable[..., None],
    scrape: Callable[[], dict[str, float]],
    settings: Settings,
) -> None:
    settings.ALTEGIO_REQUESTS_PER_MINUTE = 8
    arrive(client, altegio, AURORA_1)
    work()
    assert altegio.requests()
    assert scrape()["portal_call_rate_used_ratio"] == len(altegio.requests()) / 8


def test_emails_that_wait_and_emails_that_were_given_up(scrape: Callable[[], dict[str, float]]) -> None:
    queue_email("welcome", User.objects.create_user("emma@aurora.example"), key="one")
    found = scrape()
    assert found['portal_emails{state="waiting"}'] == 1
    assert found['portal_emails{state="given_up"}'] == 0


def test_a_stopped_token_and_the_alert_about_it(scrape: Callable[[], dict[str, float]]) -> None:
    assert scrape()["portal_token_stopped"] == 0
    stop_token("Unauthorized")

    found = scrape()
    assert found["portal_token_stopped"] == 1
    assert found['portal_alerts_open{kind="token"}'] == 1
    assert found['portal_alerts_open{kind="window"}'] == 0
    assert Alert.objects.count() == 1


def test_the_number_of_queries_does_not_grow(
    client: Client,
    altegio: Sandbox,
    work: Callable[..., None],
    scrape: Callable[[], dict[str, float]],
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    most = 17 + len(CHECKS)
    with django_assert_max_num_queries(most):
        scrape()
    arrive(client, altegio, [AURORA_1, AURORA_2])
    work()
    with django_assert_max_num_queries(most):
        scrape()
