"""The dating back of what the portal wrote while the demonstration was made. No other module moves moments.

Each connection lives through a few *eras* while it is made: it is connected, and that was 120 days ago; it is frozen,
and that was 20 days ago. A moment that the portal wrote in an era, on the connection or on anything that belongs to
it (calls, attempts, changes, events, deliveries, messages, alerts, …), moves back by the era's time. What came in
with its own date (`paid_at`, the periods, the date of a phone call) stays; a payment and its report move to when it
was paid. Nothing else is changed, and no row is created, but for the sums that are counted again.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection as database
from django.db import models, transaction
from django.utils import timezone

from accounts.models import AltegioIdentity, Notification, OutgoingEmail, User
from billing.figures.months import count_due_months
from billing.models import MonthlyFigures, Payment
from billing.periods import follow_payments
from demo.life.plan import Place
from integrations.backoffice.dashboard.days import sum_ended_days
from integrations.backoffice.models import DailyCounts
from integrations.connections.models import Arrival, Connection
from integrations.messaging.models import DailyVolume, StatusBatch
from integrations.outbox.models import Attempt, OutgoingCall
from integrations.partner_events.models import WebhookDelivery
from integrations.telephony.models import PhoneCall

Ago = Callable[[datetime], timedelta]
# When Altegio was last asked, and when a row was last written, is still true.
STAY = frozenset({"status_asked_at", "listed_at", "updated_at"})
# How many steps a row is from its connection, at most: attempt, call, connection.
MAX_STEPS = 3


@dataclass
class Chronicle:
    """The eras of each place, and when each began in this run."""

    begun_at: datetime = field(default_factory=timezone.now)
    _eras: dict[Place, list[tuple[datetime, timedelta]]] = field(default_factory=dict)

    def turn(self, places: Iterable[Place], ago: timedelta) -> None:
        """Begin an era: what happens at these places from now on happened so long ago."""
        for place in places:
            self._eras.setdefault(place, []).append((timezone.now(), ago))

    def ago(self, place: Place) -> Ago | None:
        """Return a function that says how far a moment of this place moves; None if the place is not of this run."""
        eras = self._eras.get(place)
        if eras is None:
            return None
        return lambda moment: next((ago for begun, ago in reversed(eras) if begun <= moment), eras[0][1])

    def last(self, *place: int) -> timedelta:
        """Return how long ago the current era of a place is."""
        return self._eras[place[0], place[1]][-1][1]

    @property
    def span(self) -> tuple[datetime, datetime]:
        """The first and the last moment that this run can have written: deadlines lie up to a window ahead."""
        ahead = timedelta(seconds=settings.ALTEGIO_ACTIVATION_WINDOW)
        return self.begun_at, timezone.now() + ahead


@transaction.atomic
def move_back(chronicle: Chronicle) -> None:
    """Date back what was written, then let the portal count its sums again."""
    lives = {
        pk: ago
        for pk, *place in Connection.objects.values_list("pk", "application__altegio_id", "location__altegio_id")
        if (ago := chronicle.ago((place[0], place[1])))
    }
    mover = _Mover(chronicle.span)
    paid = _payments(mover)
    for model in apps.get_models():
        if not model._meta.proxy and model is not Payment and (path := _path(model)):
            mover.move(_finished(model), path, lives, but=paid.get(model, {}))
    _move_people(mover, lives)
    _move_messages(mover, lives, chronicle)
    for connection in Connection.objects.filter(pk__in=lives).exclude(activated_at=None):
        follow_payments(connection)
    _count_anew()


@dataclass
class _Mover:
    span: tuple[datetime, datetime]

    def move(
        self, rows: models.QuerySet[Any], key: str, lives: dict[Any, Ago], but: dict[Any, Ago] | None = None
    ) -> None:
        """Move every moment of this run in `rows`; `key` leads to a row's life, `but` has exceptions."""
        model = rows.model
        fields = [
            item
            for item in model._meta.concrete_fields
            if type(item) is models.DateTimeField and item.name not in STAY
        ]
        if not fields:
            return
        changed: list[list[Any]] = []
        for pk, life, *moments in rows.order_by().values_list("pk", key, *(item.name for item in fields)):
            ago = (but or {}).get(pk) or lives.get(life)
            if ago is not None:
                changed.append([*(self._moved(moment, ago) for moment in moments), pk])
        _write(model, fields, changed)

    def _moved(self, moment: datetime | None, ago: Ago) -> datetime | None:
        if moment is None or not self.span[0] <= moment <= self.span[1]:
            return moment
        return moment - ago(moment)


def _write(model: type[models.Model], fields: list[Any], rows: list[list[Any]]) -> None:
    """Write the columns directly, because saving a row would date it anew."""
    quote, adapt = database.ops.quote_name, database.ops.adapt_datetimefield_value
    columns = ", ".join(f"{quote(item.column)} = %s" for item in fields)
    values = [[*map(adapt, moments), pk] for *moments, pk in rows]
    where = f"WHERE {quote(str(model._meta.pk and model._meta.pk.column))} = %s"
    with database.cursor() as cursor:
        cursor.executemany(f"UPDATE {quote(model._meta.db_table)} SET {columns} {where}", values)  # noqa: S608 - no input


def _path(model: type[models.Model]) -> str | None:
    """Return the shortest path of foreign keys from a row of the model to its connection, or None."""
    if model is Connection:
        return "pk"
    if model is Arrival:
        return "connections"
    ways: list[tuple[type[models.Model], str]] = [(model, "")]
    for _step in range(MAX_STEPS):
        ways = [(target, f"{way}__{name}".lstrip("_")) for at, way in ways for name, target in _keys(at)]
        for target, way in ways:
            if target is Connection:
                return way
    return None


def _keys(model: type[models.Model]) -> Iterator[tuple[str, type[models.Model]]]:
    for item in model._meta.concrete_fields:
        if isinstance(item, models.ForeignKey):
            yield item.name, item.related_model


def _finished(model: type[models.Model]) -> models.QuerySet[Any]:
    """Return the rows of a model, without deliveries that are still to be sent: they keep their time."""
    rows = model._default_manager.all()
    return rows.exclude(finished_at=None) if model is WebhookDelivery else rows


def _payments(mover: _Mover) -> dict[type[models.Model], dict[Any, Ago]]:
    """Move the payments, each by its own date, and return how far their calls and attempts move."""
    ways: dict[Any, Ago] = {}
    calls: dict[Any, Ago] = {}
    for payment in Payment.objects.filter(recorded_at__gte=mover.span[0]):
        late = payment.recorded_at - payment.paid_at
        ways[payment.pk] = lambda _moment, late=late: late  # type: ignore[misc]
        calls |= dict.fromkeys(payment.calls().values_list("pk", flat=True), ways[payment.pk])
    mover.move(Payment.objects.all(), "pk", ways)
    attempts = {pk: calls[call] for pk, call in Attempt.objects.filter(call__in=calls).values_list("pk", "call")}
    return {OutgoingCall: calls, Attempt: attempts}


def _move_people(mover: _Mover, lives: dict[Any, Ago]) -> None:
    """Move owners to their first connection, and their sent e-mails and notifications with them."""
    people: dict[Any, Ago] = {}
    for owner, pk in Connection.objects.filter(pk__in=lives).order_by("-pk").values_list("claimant", "pk"):
        people[owner] = lives[pk]
    mover.move(User.objects.filter(is_staff=False), "pk", people)
    mover.move(AltegioIdentity.objects.all(), "user", people)
    for model in (OutgoingEmail, Notification):
        mover.move(model._default_manager.exclude(sent_at=None), "person", people)


def _move_messages(mover: _Mover, lives: dict[Any, Ago], chronicle: Chronicle) -> None:
    """Move statuses with their messages, volumes to their location's day, phone calls to when they rang."""
    mover.move(StatusBatch.objects.all(), "statuses__requested_message__connection", lives)
    places = Connection.objects.filter(pk__in=lives).values_list("location__altegio_id", "pk")
    by_location = {salon_id: lives[pk] for salon_id, pk in places.order_by("-application__altegio_id")}
    for volume in DailyVolume.objects.filter(salon_id__in=by_location):
        day: date = (timezone.now() - by_location[volume.salon_id](timezone.now())).date()
        DailyVolume.objects.filter(pk=volume.pk).update(day=day)
    for call in PhoneCall.objects.filter(received_at__gte=chronicle.begun_at).exclude(date=None):
        PhoneCall.objects.filter(pk=call.pk).update(received_at=call.date)


def _count_anew() -> None:
    """Count the sums of days and months again, which the portal's own tasks may have counted before the move."""
    DailyCounts.objects.all().delete()
    MonthlyFigures.objects.all().delete()
    sum_ended_days()
    count_due_months()
