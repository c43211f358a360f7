"""The demonstration's half a year: always the same plan, and only moments are moved."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ApiKey
from billing.models import MonthlyFigures, Payment
from demo.life.past import Chronicle, move_back
from demo.life.plan import DAY, SMS, Business, Plan, make_plan
from integrations.connections.models import Arrival, Connection
from integrations.outbox.models import Attempt
from sandbox import Sandbox
from sandbox.crowd import add_crowd
from sandbox.demo import demo_state
from tests.billing.conftest import Billing
from tests.marketplace import AURORA_1, AURORA_2, EMMA, arrive


def plan(locations: int = 200) -> Plan:
    crowd = add_crowd(demo_state(), locations)
    return make_plan([Business(**vars(business)) for business in crowd])


def test_every_run_has_the_same_plan() -> None:
    assert plan() == plan()


def test_a_crowd_has_as_many_locations_as_were_asked_for_each_with_an_owner() -> None:
    state = demo_state()
    before = len(state.locations)
    crowd = add_crowd(state, 77)
    assert len(state.locations) - before == 77 == sum(len(business.salon_ids) for business in crowd)
    assert {business.user_id for business in crowd} <= {user.id for user in state.users}


def test_the_plan_holds_every_way_that_a_connection_may_go() -> None:
    made = plan()
    assert {"frozen", "left", "stays"} == {
        "left" if story.left is not None else "frozen" if story.frozen is not None else "stays"
        for story in made.stories
    }
    assert {story.place[0] for story in made.stories} == {1, 2, 3}
    assert len({payment.currency for story in made.stories for payment in story.payments}) > 4
    odd = (made.adopted, made.unknown, made.refused, made.expired, made.late, made.disputed, made.unfinished)
    assert all(odd)


def test_nothing_is_paid_before_the_trial_is_over_or_in_days_to_come() -> None:
    paid = [(story.came - 14 * DAY, payment.ago) for story in plan().stories for payment in story.payments]
    assert paid
    assert [(trial_ended, ago) for trial_ended, ago in paid if not timedelta() < ago <= trial_ended] == []


@pytest.mark.django_db
def test_what_the_portal_wrote_is_dated_back_by_its_era(
    client: Client, altegio: Sandbox, work: Callable[..., None]
) -> None:
    _key, secret = ApiKey.objects.create_key(name="billing", scopes=["billing"])
    chronicle = Chronicle()
    chronicle.turn([(SMS, AURORA_1)], 60 * DAY)
    arrive(client, altegio, AURORA_1, EMMA)
    work()
    chronicle.turn([(SMS, AURORA_1)], 10 * DAY)
    paid_at = timezone.now() - 30 * DAY
    Billing(client, secret).pay(
        salon_id=AURORA_1,
        paid_at=paid_at.isoformat(),
        period_from=paid_at.isoformat(),
        period_to=(paid_at + 20 * DAY).isoformat(),
    )
    work()
    arrive(client, altegio, AURORA_2, EMMA)
    work()
    move_back(chronicle)

    connection = Connection.objects.get(location__altegio_id=AURORA_1)
    now = timezone.now()
    assert connection.activated_at is not None
    assert _days(now - connection.activated_at) == 60
    assert connection.trial_ends_at == connection.activated_at + 14 * DAY
    assert _days(now - connection.arrivals.get().arrived_at) == 60
    assert _days(now - Payment.objects.get().recorded_at) == 30
    attempts = Attempt.objects.filter(call__connection=connection)
    assert {_days(now - attempt.started_at) for attempt in attempts} == {30, 60}
    assert MonthlyFigures.objects.get(month=paid_at.date().replace(day=1)).places
    other = Arrival.objects.exclude(pk=connection.arrivals.get().pk).get()
    assert _days(now - other.arrived_at) == 0, "it is none of the demonstration's"


def _days(span: timedelta) -> int:
    return round(span / DAY)
