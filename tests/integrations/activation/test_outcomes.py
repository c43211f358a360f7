"""Every outcome of an activation call (docs/altegio.md §2) is handled, over real HTTP."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from integrations.alerts.models import Alert
from integrations.connections.models import Application, Chain, Connection
from integrations.outbox.models import Attempt, OutgoingCall, TokenStop
from integrations.outbox.token_stop import resume_token
from sandbox import Sandbox, Status
from tests.marketplace import AURORA_1, AURORA_2, TELEPHONY, arrive, follow, status
from tests.working import Work

pytestmark = pytest.mark.django_db
BROKEN_APPLICATION = '{"success":false,"data":null,"meta":{"message":"Агрегатор не найден"}}'


def the_connection() -> Connection:
    return Connection.objects.get()


@pytest.mark.parametrize(
    "fault",
    ["drop_after", "html_after", "broken_json_after", "redirect_after", "error_after"],
)
def test_a_lost_answer_is_asked_about_and_nothing_is_sent_twice(
    client: Client, altegio: Sandbox, work: Work, fault: str
) -> None:
    altegio.fault(fault, "activate")
    arrive(client, altegio, AURORA_1)
    work()

    assert the_connection().state == "active"
    assert len(altegio.requests("activate")) == 1
    assert len(altegio.requests("status")) == 1


def test_a_redirect_is_never_followed(client: Client, altegio: Sandbox, work: Work) -> None:
    altegio.fault("redirect_after", "activate")
    arrive(client, altegio, AURORA_1)
    work()

    assert "unknown" not in {request.call for request in altegio.requests()}


def test_a_time_out_is_asked_about(client: Client, altegio: Sandbox, work: Work, settings: Settings) -> None:
    settings.ALTEGIO_TIMEOUT_SECONDS = 0.3
    altegio.fault("delay_after", "activate", seconds=1.0)
    arrive(client, altegio, AURORA_1)
    work()

    assert the_connection().state == "active"
    assert len(altegio.requests("activate")) == 1


@pytest.mark.parametrize("status_code", [500, 502, 503])
def test_a_server_error_is_asked_about_before_it_is_sent_again(
    client: Client, altegio: Sandbox, work: Work, settings: Settings, status_code: int
) -> None:
    settings.ALTEGIO_SETTLING_SECONDS = 3600
    altegio.fault("error", "activate", status=status_code)
    arrive(client, altegio, AURORA_1)
    work()

    assert the_connection().state == "active"
    assert [request.call for request in altegio.requests()][:3] == ["activate", "status", "activate"]


def test_a_call_that_altegio_never_read_is_sent_again(client: Client, altegio: Sandbox, work: Work) -> None:
    altegio.fault("drop_before", "activate")
    arrive(client, altegio, AURORA_1)
    work()

    assert the_connection().state == "active"


@pytest.mark.parametrize("status_code", [400, 404, 422])
def test_a_refusal_ends_with_altegios_reason_shown(
    client: Client, altegio: Sandbox, work: Work, status_code: int
) -> None:
    altegio.fault(
        "error",
        "activate",
        status=status_code,
        body='{"success":false,"data":null,"meta":{"message":"Агрегатор не найден"}}',
    )
    answer = arrive(client, altegio, AURORA_1)
    work()

    assert the_connection().state == "failed"
    assert "Агрегатор не найден" in status(client, answer)["locations"][0]["message"]
    assert len(altegio.requests("activate")) == 1


def test_a_403_of_an_active_location_means_done(client: Client, altegio: Sandbox, work: Work) -> None:
    """A private application becomes active at the grant, so the activation is refused (docs/altegio.md §1)."""
    altegio.set_application(1, private=True)
    arrive(client, altegio, AURORA_1)
    assert altegio.status_of(AURORA_1) is Status.ACTIVE
    work()

    assert the_connection().state == "active"
    assert the_connection().owner is not None


def test_a_location_active_for_long_without_an_owner_is_for_staff(
    client: Client, altegio: Sandbox, work: Work
) -> None:
    altegio.set_application(1, private=True)
    altegio.grant(AURORA_1, at=timezone.now() - timedelta(hours=2))
    follow(client, altegio, AURORA_1)
    work()

    assert set(Connection.objects.filter(owner=None).values_list("state", flat=True)) == {"active", "conflict"}
    assert Alert.objects.filter(kind=Alert.Kind.CONFLICT).count() == 1


def test_a_401_stops_every_call_and_raises_one_alert(client: Client, altegio: Sandbox, work: Work) -> None:
    altegio.fault("error", "*", status=401, body='{"success":false,"meta":{"message":"No"}}', remaining=None)
    arrive(client, altegio, [AURORA_1, AURORA_2])
    work()

    assert len(altegio.requests()) == 1
    assert Alert.objects.filter(kind=Alert.Kind.TOKEN).count() == 1
    assert set(Connection.objects.values_list("state", flat=True)) == {"granted"}

    altegio.clear_faults()
    resume_token()
    work()
    assert set(Connection.objects.values_list("state", flat=True)) == {"active"}


def test_another_token_starts_the_calls_again(
    client: Client, altegio: Sandbox, work: Work, settings: Settings
) -> None:
    token = settings.ALTEGIO_PARTNER_TOKEN
    arrive(client, altegio, AURORA_1)
    settings.ALTEGIO_PARTNER_TOKEN = "a-wrong-one"
    work()
    assert TokenStop.objects.exists()

    settings.ALTEGIO_PARTNER_TOKEN = token
    work()
    assert the_connection().state == "active"


def test_too_many_requests_waits_as_long_as_altegio_says(client: Client, altegio: Sandbox, work: Work) -> None:
    altegio.fault("error", "activate", status=429, headers={"Retry-After": "7"}, body="")
    arrive(client, altegio, [AURORA_1, AURORA_2])
    work(rounds=1)

    first = OutgoingCall.objects.get(attempt_count=1)
    assert first.state == "queued"
    assert 6 < (first.due_at - timezone.now()).total_seconds() <= 8
    assert len(altegio.requests()) == 1, "nobody calls while Altegio wants quiet"


def test_past_the_deadline_nothing_is_sent_and_the_owner_gets_the_reconnect_link(
    client: Client, altegio: Sandbox, work: Work, settings: Settings
) -> None:
    answer = arrive(client, altegio, AURORA_1)
    with time_machine.travel(timezone.now() + timedelta(seconds=settings.ALTEGIO_ACTIVATION_WINDOW + 1)):
        work()
        shown = status(client, answer)

    assert altegio.requests() == []
    assert shown["state"] == "expired"
    assert shown["locations"][0]["reconnect_url"] == f"{altegio.app_url}/appstore/{AURORA_1}/applications/1/info"


def test_an_unconfirmed_activation_is_asked_about_once_more_at_the_deadline(
    client: Client, altegio: Sandbox, work: Work, settings: Settings
) -> None:
    altegio.fault("drop_after", "activate")
    altegio.fault("error", "status", status=500, remaining=1)
    arrive(client, altegio, AURORA_1)
    work(rounds=1)
    with time_machine.travel(timezone.now() + timedelta(seconds=settings.ALTEGIO_ACTIVATION_WINDOW + 1)):
        work()

    assert the_connection().state == "active"
    assert len(altegio.requests("activate")) == 1


def test_a_grant_after_the_arrival_belongs_to_somebody_else(client: Client, altegio: Sandbox, work: Work) -> None:
    """The arrival's call meets an outage; meanwhile somebody else presses Connect (docs/altegio.md §1)."""
    altegio.fault("error", "activate", status=500)
    follow(client, altegio, AURORA_1)
    work(rounds=1)
    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        altegio.grant(AURORA_1, at=timezone.now())
        work()

    assert the_connection().state == "failed"
    assert altegio.status_of(AURORA_1) is Status.PENDING


def test_the_attempts_are_recorded_with_their_secrets_masked(client: Client, altegio: Sandbox, work: Work) -> None:
    arrive(client, altegio, AURORA_1)
    work()

    attempt = Attempt.objects.get(call__kind="activate")
    sent = altegio.requests("activate")[0].body
    assert attempt.status_code == 201
    assert sent["api_key"] not in attempt.request_body
    assert sent["webhook_urls"][0] not in attempt.request_body
    assert f'"salon_id": {AURORA_1}' in attempt.request_body


def test_a_call_of_a_dead_worker_is_asked_about_first(client: Client, altegio: Sandbox, work: Work) -> None:
    arrive(client, altegio, AURORA_1)
    OutgoingCall.objects.update(state="sending", lease_until=timezone.now() - timedelta(seconds=1))
    work()

    assert [request.call for request in altegio.requests()][:2] == ["status", "activate"]
    assert the_connection().state == "active"


def test_the_locations_data_is_fetched_once_for_many(client: Client, altegio: Sandbox, work: Work) -> None:
    arrive(client, altegio, [AURORA_1, AURORA_2])
    work()

    assert len(altegio.requests("salons")) == 1
    location = Connection.objects.get(location__altegio_id=AURORA_1).location
    assert location.title
    assert location.timezone_name == "Europe/London"


def test_staff_are_alerted_at_half_and_at_five_sixths_of_the_window(
    client: Client, altegio: Sandbox, settings: Settings
) -> None:
    from integrations.alerts.window import warn_of_late_activations

    arrive(client, altegio, AURORA_1)
    start, window = timezone.now(), settings.ALTEGIO_ACTIVATION_WINDOW
    raised = []
    for part in (0.4, 0.51, 0.6, 0.84, 0.9):
        with time_machine.travel(start + timedelta(seconds=window * part)):
            raised.append(warn_of_late_activations())

    assert raised == [0, 1, 0, 1, 0]


def test_a_late_first_look_raises_one_alert(client: Client, altegio: Sandbox, settings: Settings) -> None:
    from integrations.alerts.window import warn_of_late_activations

    arrive(client, altegio, AURORA_1)
    with time_machine.travel(timezone.now() + timedelta(seconds=settings.ALTEGIO_ACTIVATION_WINDOW * 0.9)):
        assert warn_of_late_activations() == 1


def test_refused_telephony_alerts_staff_and_stops_nothing_else(client: Client, altegio: Sandbox, work: Work) -> None:
    Application.objects.create(altegio_id=TELEPHONY, kind="telephony")
    altegio.fault("error", "voip", status=401, body="{}")
    arrive(client, altegio, AURORA_1, application_id=TELEPHONY)
    work()

    assert Chain.objects.get().telephony == "failed"
    assert Alert.objects.get().kind == Alert.Kind.CALL
    assert not TokenStop.objects.exists()
