"""Many rows are locked in the order of their keys, because another order could deadlock."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.customer_import import import_customers
from accounts.models import Customer, User
from billing.csv_import import import_payments
from billing.intake import Overlap
from integrations.alerts.window import warn_of_late_activations
from integrations.altegio.answers import Answer, Outcome
from integrations.altegio.location_list import read_locations
from integrations.connections.models import Application, Connection, Location
from integrations.connections.transitions import lock
from integrations.reconciliation.compare import compare_page
from integrations.reconciliation.models import Reconciliation
from tests.concurrency import cross
from tests.marketplace import proven_owner

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="Rows are locked on PostgreSQL alone."),
]
CUSTOMERS = ["external_id,email,name,phone,language", "C-2,owner2@people.example,,,", "C-1,owner1@people.example,,,"]
PAID = "10.00,EUR,2026-01-01T12:00:00Z,2026-01-01T00:00:00Z,2026-01-31T23:59:59Z"
PAYMENTS = ["external_id,salon_id,amount,currency,paid_at,period_from,period_to", f"b,2,{PAID}", f"a,1,{PAID}"]


def connect(number: int, *, application: int = 1, **fields: Any) -> Connection:
    """Make a live connection at the location of this number, with its own owner."""
    owner, _made = User.objects.get_or_create(email=f"owner{number}@people.example")
    now = timezone.now()
    User.objects.filter(pk=owner.pk).update(email_proven_at=now)
    moments = dict.fromkeys(("activated_at", "arrived_at", "last_arrived_at", "deadline_at", "reviewed_at"), now)
    planted = {"state": "active", "owner": owner, "claim": f"u:{owner.pk}", **moments, **fields}
    made: Connection = Connection.objects.create(
        application=Application.objects.get_or_create(altegio_id=application)[0],
        location=Location.objects.get_or_create(altegio_id=number, defaults={"title": f"Salon {number}"})[0],
        **planted,
    )
    return made


@pytest.mark.leaves_stranded("claims are planted without their calls")
def test_expiring_windows_are_locked_in_key_order() -> None:
    waiting: dict[str, Any] = {"state": "granted", "owner": None, "activated_at": None}
    one, other = (
        connect(number, **waiting, deadline_at=timezone.now() + timedelta(minutes=5 - number)) for number in (1, 2)
    )
    assert cross(warn_of_late_activations, first=partial(lock, one.pk), then=partial(lock, other.pk)) == 2


@pytest.mark.leaves_stranded("a run is planted without its page")
def test_a_list_page_and_a_settling_answer_lock_in_key_order() -> None:
    """The answer locks its connection, of another application at a renamed location, and then the run."""
    application, other = connect(1).application, connect(1, application=2)
    run = Reconciliation.objects.create(trigger=Reconciliation.Trigger.NIGHTLY, lists_left=1)
    page = read_locations(Answer(Outcome.ACCEPTED, data=[{"id": 1, "title": "Renamed"}]))
    cross(
        partial(transaction.atomic(compare_page), run, application, page),
        first=partial(lock, other.pk),
        then=partial(Reconciliation.objects.select_for_update(no_key=True).get, pk=run.pk),
    )
    assert Location.objects.get().title == "Renamed"


def test_imported_payments_lock_in_key_order() -> None:
    one, other = connect(1), connect(2)
    rows = cross(
        lambda: list(import_payments(PAYMENTS, overlap=Overlap.WARN, dry_run=False)),
        first=partial(lock, one.pk),
        then=partial(lock, other.pk),
    )
    assert [row.is_new for row in rows] == [True, True]


def take_customers() -> list[Any]:
    return list(import_customers(CUSTOMERS, dry_run=False))


def test_connections_of_imported_customers_are_locked_in_key_order() -> None:
    one, other = connect(1), connect(2)
    assert len(cross(take_customers, first=partial(lock, one.pk), then=partial(lock, other.pk))) == 2
    assert list(Connection.objects.order_by("pk").values_list("external_id", flat=True)) == ["C-1", "C-2"]


def test_accounts_of_imported_customers_are_locked_in_key_order() -> None:
    one, other = (proven_owner(f"owner{number}@people.example").pk for number in (1, 2))
    accounts = User.objects.select_for_update(no_key=True)
    cross(take_customers, first=partial(accounts.get, pk=one), then=partial(accounts.get, pk=other))
    assert Customer.objects.count() == 2
