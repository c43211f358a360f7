"""A connection in the sandbox lives as docs/altegio.md §1 to §3 describe."""

from datetime import timedelta
from typing import Any

import pytest

from sandbox import Sandbox, Status
from tests.not_none import not_none
from tests.sandbox.conftest import LONDON, MANCHESTER, MOSCOW, SMS, Caller, Clock


def test_consent_waits_for_the_activation(sandbox: Sandbox, altegio: Caller, clock: Clock) -> None:
    sandbox.grant(LONDON)
    current = altegio.status().json()["data"]["connection_status"]
    assert current == {"status": "pending", "created_at": "2026-03-01 12:00:00"}


def test_activation_of_an_open_grant_starts_the_trial(sandbox: Sandbox, altegio: Caller, clock: Clock) -> None:
    sandbox.grant(LONDON)
    assert altegio.activate().status_code == 201
    connection = not_none(sandbox.connection(LONDON))
    assert connection.status == Status.ACTIVE
    assert connection.trial_ends_at == clock() + timedelta(days=14)


def test_activation_without_a_grant_is_refused(altegio: Caller) -> None:
    answer = altegio.activate()
    assert answer.status_code == 403
    assert answer.json()["success"] is False


def test_a_second_activation_is_refused_in_the_language_of_the_country(sandbox: Sandbox, altegio: Caller) -> None:
    sandbox.grant([LONDON, MOSCOW])
    for location_id in (LONDON, MOSCOW):
        altegio.activate(location_id)
    assert altegio.activate(LONDON).json()["meta"]["message"] == "The user has already installed this application."
    refused = altegio.activate(MOSCOW)
    assert refused.status_code == 403
    assert refused.json()["meta"]["message"] == "Пользователь уже установил это приложение"


@pytest.mark.parametrize(("seconds", "code"), [(3600, 201), (3601, 403)])
def test_the_window_is_one_hour(sandbox: Sandbox, altegio: Caller, clock: Clock, seconds: int, code: int) -> None:
    sandbox.grant(LONDON)
    clock.forward(seconds=seconds)
    assert altegio.activate().status_code == code


def test_pressing_connect_again_opens_the_window_again(sandbox: Sandbox, altegio: Caller, clock: Clock) -> None:
    sandbox.grant(LONDON)
    clock.forward(hours=2)
    sandbox.grant(LONDON)
    assert altegio.activate().status_code == 201


def test_a_broken_application_is_refused_with_the_reason_seen_live(sandbox: Sandbox, altegio: Caller) -> None:
    sandbox.set_application(SMS, broken=True)
    answer = altegio.activate()
    assert answer.status_code == 400
    assert answer.json() == {"success": False, "data": None, "meta": {"message": "Агрегатор не найден"}}


def test_a_private_application_is_active_at_the_grant(sandbox: Sandbox, altegio: Caller) -> None:
    sandbox.set_application(SMS, private=True)
    sandbox.grant(LONDON)
    assert altegio.status().json()["data"]["logs"][-1]["status_to"] == "active"
    assert altegio.activate().status_code == 403


def test_altegio_keeps_the_first_key_until_the_uninstall(sandbox: Sandbox, active: Caller) -> None:
    active.activate(api_key="second")
    assert not_none(sandbox.connection(LONDON)).api_key == "first"
    sandbox.uninstall(LONDON)
    sandbox.grant(LONDON)
    active.activate(api_key="third")
    assert not_none(sandbox.connection(LONDON)).api_key == "third"


def test_the_trial_is_given_once(sandbox: Sandbox, active: Caller, clock: Clock) -> None:
    ends = not_none(sandbox.connection(LONDON)).trial_ends_at
    sandbox.uninstall(LONDON)
    clock.forward(days=3)
    sandbox.grant(LONDON)
    active.activate()
    assert not_none(sandbox.connection(LONDON)).trial_ends_at == ends


def test_the_end_of_the_trial_freezes_and_a_payment_thaws(sandbox: Sandbox, active: Caller, clock: Clock) -> None:
    clock.forward(days=14, seconds=1)
    assert sandbox.tick() == 1
    assert sandbox.status_of(LONDON) == Status.FREEZED
    assert active.pay().status_code == 200
    assert sandbox.status_of(LONDON) == Status.ACTIVE
    assert sandbox.tick() == 0


def test_a_payment_reported_twice_is_two_payments(sandbox: Sandbox, active: Caller) -> None:
    ids = {active.pay().json()["data"]["id"] for _ in range(2)}
    assert len(ids) == 2
    assert {row["id"] for row in active.status().json()["data"]["payments"]} == ids


def test_a_payment_needs_a_connection(altegio: Caller) -> None:
    assert altegio.pay().status_code == 403


def test_a_refund_of_the_current_period_switches_off_and_is_taken_once(sandbox: Sandbox, active: Caller) -> None:
    payment_id = active.pay().json()["data"]["id"]
    assert active.refund(payment_id).status_code == 200
    assert sandbox.status_of(LONDON) == Status.FREEZED
    assert active.status().json()["data"]["payments"][0]["is_refunded"] is True
    assert active.refund(payment_id).status_code == 403


def test_a_refund_of_a_later_period_leaves_the_connection_on(sandbox: Sandbox, active: Caller) -> None:
    later: dict[str, Any] = {"period_from": "2026-05-01 00:00:00", "period_to": "2026-05-31 23:59:59"}
    active.refund(active.pay(**later).json()["data"]["id"])
    assert sandbox.status_of(LONDON) == Status.ACTIVE


def test_uninstalled_is_404_or_an_answer_without_a_connection(sandbox: Sandbox, active: Caller) -> None:
    assert active.post(f"/marketplace/salon/{LONDON}/application/{SMS}/uninstall").status_code == 200
    assert active.status().status_code == 404
    sandbox.configure(gone_answer="empty")
    data = active.status().json()["data"]
    assert data["connection_status"] is None
    assert data["logs"][-1]["status_to"] == "uninstalled"


def test_the_list_of_connected_locations_is_paged_and_can_leave_frozen_ones_out(
    sandbox: Sandbox, altegio: Caller
) -> None:
    sandbox.grant([LONDON, MANCHESTER, MOSCOW])
    for location_id in (LONDON, MANCHESTER):
        altegio.activate(location_id)
    sandbox.freeze(MANCHESTER)
    path = f"/marketplace/application/{SMS}/salons"
    assert [row["id"] for row in altegio.get(path, page=1, count=1).json()["data"]] == [LONDON]
    sandbox.world.location(MANCHESTER).in_business = False
    assert [row["active"] for row in altegio.get(path).json()["data"]] == [1, 0]
    sandbox.configure(list_frozen=False)
    assert [row["id"] for row in altegio.get(path).json()["data"]] == [LONDON]


def test_numbers_may_come_as_strings(sandbox: Sandbox, active: Caller) -> None:
    sandbox.configure(numbers_as_strings=True)
    active.pay()
    assert active.status().json()["data"]["payments"][0]["payment_sum"] == "990.99"


def test_the_redirecting_activation_activates_and_sends_the_browser_to_a_page(
    sandbox: Sandbox, altegio: Caller
) -> None:
    sandbox.grant([LONDON, MOSCOW])
    path = "/marketplace/partner/callback/redirect"
    answer = altegio.post(path, {"salon_id": LONDON, "application_id": SMS})
    assert answer.status_code == 301
    assert sandbox.status_of(LONDON) == Status.ACTIVE
    sandbox.configure(redirect_answer=200)
    assert altegio.post(path, {"salon_id": MOSCOW, "application_id": SMS}).json() == {"success": True}
