"""Two weeks of a partner's marketplace, lived day by day through the sandbox, as the pictures show them."""

from datetime import datetime, timedelta

import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import ApiKey
from integrations.activation.staff import ask_altegio
from integrations.alerts.window import warn_of_late_activations
from integrations.backoffice.dashboard.days import sum_ended_days
from integrations.backoffice.management.commands.prepare_demo import APPLICATIONS
from integrations.connections.models import Application, Connection
from integrations.outbox.sweep import expire_late_calls
from sandbox import Sandbox
from tests.billing.conftest import Billing
from tests.marketplace import arrive, emails_go_out, follow
from tests.working import Work

DAYS = 14
EMMA, MARIA, BALINT, JOAO, ALEKSEY = range(9001, 9006)
# The arrivals by day (0 is the first), with their locations and application.
OWNERS = (
    (0, EMMA, [10101, 10102, 10103], 1),
    (1, MARIA, [10201], 1),
    (3, BALINT, [10301, 10302, 10303], 1),
    (5, JOAO, [10401], 1),
    (6, EMMA, [10101], 2),
    (8, MARIA, [10202, 10203], 1),
    (11, ALEKSEY, [10404], 3),
)
CHAINS = (2, 5, 3, 7, 4, 9, 6, 3, 8, 5, 11, 7, 9, 6)


class TwoWeeks:
    """Two weeks, day by day; each method call happens on the current day."""

    def __init__(self, altegio: Sandbox, work: Work) -> None:
        self.altegio, self.work, self.client = altegio, work, Client()
        _key, secret = ApiKey.objects.create_key(name="two weeks", scopes=["billing", "read"])
        self.billing = Billing(self.client, secret)
        self.today = timezone.now().replace(hour=9, minute=12, second=0, microsecond=0)

    def pass_by(self) -> None:
        """Live the two weeks, up to this minute."""
        for altegio_id, name, kind in APPLICATIONS:
            Application.objects.get_or_create(altegio_id=altegio_id, defaults={"name": name, "kind": kind})
        for day in range(DAYS):
            with time_machine.travel(self._moment(day)) as clock:
                self._one_day(day, clock)
                emails_go_out()
        sum_ended_days()
        self._this_minute()

    def _this_minute(self) -> None:
        """Freeze one location, dispute one, and leave Altegio silent about one that runs out of time."""
        self.altegio.freeze(10302)
        ask_altegio(Connection.objects.get(location__altegio_id=10302).pk)
        follow(self.client, self.altegio, 10101, MARIA)
        self.work()
        with time_machine.travel(timezone.now() - timedelta(minutes=52)):
            fault = self.altegio.fault("error", status=503, remaining=None)
            arrive(self.client, self.altegio, 10402, JOAO)
            self.work(rounds=3)
            self.altegio.clear_faults(fault.id)
        warn_of_late_activations()

    def _moment(self, day: int) -> datetime:
        return self.today - timedelta(days=DAYS - 1 - day)

    def _one_day(self, day: int, clock: time_machine.Traveller) -> None:
        _chain, locations = self.altegio.add_chain(CHAINS[day], "Lumen Studios")
        late = locations.pop() if day % 5 == 3 else None
        ungranted = locations.pop() if day % 4 == 2 else None
        self._arrive(locations, 9001 + day % 5, 1)
        for when, person, places, application in OWNERS:
            if when == day:
                self._arrive(places, person, application)
        if ungranted:
            self._refused(ungranted)
        if late:
            self._too_late(late, clock)
        for place in locations[:: 2 + day % 2]:
            self._pay(place)
        if day % 6 == 4:
            self.altegio.uninstall(locations[-1])

    def _arrive(self, locations: list[int], person: int, application: int) -> None:
        arrive(self.client, self.altegio, locations, person, application)
        self.work()

    def _refused(self, place: int) -> None:
        """Let Altegio refuse a location: it has no grant, because the owner kept an old link."""
        follow(self.client, self.altegio, place, EMMA)
        self.work()

    def _too_late(self, place: int, clock: time_machine.Traveller) -> None:
        """Let a location expire: Altegio is away for longer than the window."""
        fault = self.altegio.fault("error", status=503, remaining=None)
        arrive(self.client, self.altegio, place, EMMA)
        self.work(rounds=1)
        clock.shift(timedelta(minutes=61))
        expire_late_calls()
        self.altegio.clear_faults(fault.id)
        self.work()

    def _pay(self, place: int) -> None:
        now = timezone.now()
        self.billing.pay(
            salon_id=place,
            amount="29.00",
            paid_at=now.isoformat(),
            period_from=now.isoformat(),
            period_to=(now + timedelta(days=30)).isoformat(),
        )
        self.work()
