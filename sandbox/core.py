"""Everything that a test, the control API or a page may do on Altegio's side, as typed methods."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from sandbox import arrival, lifecycle, messages
from sandbox.callbacks import Callbacks
from sandbox.calls.money import option_of
from sandbox.crowd import Business, add_crowd
from sandbox.demo import add_chain, demo_state, sms_application
from sandbox.faults import Fault, FaultBook
from sandbox.gateway import Gateway
from sandbox.journal import Journal, LoggedCall, SentCallback
from sandbox.limits import MINUTE, SECOND, busiest
from sandbox.models import Application, Chain, Connection, Kind, Partner, State, Status, User, utc_now
from sandbox.refusals import RefusalError
from sandbox.settings import Settings
from sandbox.wire import format_moment
from sandbox.world import Clock, World

DAYS_IN_MONTH = 30


class SandboxCore:
    """The sandbox without its server. Every method takes the lock itself; look-ups return copies."""

    def __init__(
        self,
        partner_token: str = "demo-token",  # noqa: S107 - the demo's own
        portal_url: str = "http://localhost:8000",
        application_id: int = 1,
        *,
        state: State | None = None,
        clock: Clock = utc_now,
        zone: tzinfo = UTC,
        settings: Settings | None = None,
    ) -> None:
        self.partner_token = partner_token
        self.application_id = application_id
        self._first_settings = settings or Settings()
        self.world = World(state or demo_state(application_id), clock=clock, zone=zone, settings=self._first_settings)
        self._ensure_application()
        self.journal = Journal()
        self.faults = FaultBook()
        self.callbacks = Callbacks(self.world, self.journal, partner_token)
        self.callbacks.portal_url = portal_url.rstrip("/")
        self.gateway = Gateway(self.world, self.journal, self.faults, partner_token)
        self.world.tell = self.callbacks.tell
        self.partner = Partner()

    @property
    def portal_url(self) -> str:
        return self.callbacks.portal_url

    @portal_url.setter
    def portal_url(self, address: str) -> None:
        self.callbacks.portal_url = address.rstrip("/")

    @property
    def settings(self) -> Settings:
        return self.world.settings

    def reset(self) -> None:
        """Restore the demo data and the first settings; clear the faults, the log and the counted calls."""
        with self.world.lock:
            self.world.take(demo_state(self.application_id))
            self.world.settings = self._first_settings
            self.world.refused_sms.clear()
            self.faults.clear()
            self.journal.clear()
            self.gateway.windows.clear()
        self.world.touch()

    def configure(self, **values: Any) -> Settings:
        """Change settings by name (see `Settings`). Raises ValueError, which names the wrong one."""
        with self.world.lock:
            self.world.settings = self.world.settings.changed(**values)
            return self.world.settings

    def set_application(self, application_id: int, **values: Any) -> Application:
        """Change `private`, `broken`, `trial_days`, `kind`, `name` or `tariffs`; an unknown id creates one."""
        with self.world.lock:
            known = self.world.applications.get(application_id) or sms_application(application_id)
            changed = replace(known, **values)
            others = [item for item in self.world.state.applications if item.id != application_id]
            self.world.state.applications = sorted([*others, changed], key=lambda item: item.id)
            self.world.take(self.world.state)
        self.world.touch()
        return changed

    def add_chain(self, count: int, title: str = "Grand Network") -> tuple[Chain, list[int]]:
        """Add a chain with `count` locations, and return it and the ids of its locations."""
        with self.world.lock:
            chain = add_chain(self.world.state, count, title)
            self.world.take(self.world.state)
            ids = [item.id for item in self.world.locations_of(chain.id)]
        self.world.touch()
        return chain, ids

    def add_crowd(self, locations: int) -> list[Business]:
        """Add invented businesses with so many locations in total, always the same ones; see `sandbox/crowd.py`."""
        with self.world.lock:
            businesses = add_crowd(self.world.state, locations)
            self.world.take(self.world.state)
        self.world.touch()
        return businesses

    def add_user(self, user: User) -> None:
        """Add a person with an Altegio account."""
        with self.world.lock:
            self.world.state.users.append(user)
            self.world.take(self.world.state)
        self.world.touch()

    def grant(
        self,
        location_ids: int | Sequence[int],
        application_id: int | None = None,
        user_id: int | None = None,
        at: datetime | None = None,
    ) -> None:
        """Give the owner's consent, now or at the given moment."""
        with self.world.lock:
            for location_id in _listed(location_ids):
                lifecycle.grant(self.world, application_id or self.application_id, location_id, user_id, at)

    def connect_elsewhere(
        self, location_ids: int | Sequence[int], application_id: int | None = None, at: datetime | None = None
    ) -> None:
        """Connect locations as if it had happened before the portal existed; by default a year ago."""
        with self.world.lock:
            moment = at or self.world.now() - timedelta(days=365)
            for location_id in _listed(location_ids):
                lifecycle.connect_elsewhere(self.world, application_id or self.application_id, location_id, moment)

    def arrival_url(
        self,
        location_ids: int | Sequence[int],
        application_id: int | None = None,
        user_id: int | None = None,
        form: str | None = None,
    ) -> str:
        """Return the portal's registration redirect address for these locations, signed if a user is given."""
        application_id = application_id or self.application_id
        with self.world.lock:
            locations = [self.world.location(item) for item in _listed(location_ids)]
            pairs = arrival.location_pairs([item.id for item in locations], form or self.settings.arrival_form)
            if self.world.application(application_id).kind is Kind.TELEPHONY:
                pairs += arrival.chain_pairs(self.world.chains.get(locations[0].chain_id or 0))
            if user_id is not None:
                avatar = f"{self.world.address}/static/avatar.svg"
                payload = arrival.person_json(self.world.user(user_id), locations[0], avatar)
                pairs += arrival.person_pairs(payload, self.partner_token)
        return arrival.connect_address(self.portal_url, application_id, self.application_id, pairs)

    def connection(self, location_id: int, application_id: int | None = None) -> Connection | None:
        """Return a copy of the connection as it is now, or None."""
        with self.world.lock:
            return copy.deepcopy(self.world.connection(application_id or self.application_id, location_id))

    def status_of(self, location_id: int, application_id: int | None = None) -> Status | None:
        connection = self.connection(location_id, application_id)
        return connection.status if connection else None

    def uninstall(self, location_id: int, application_id: int | None = None) -> None:
        """Disconnect as the owner does; the portal gets a callback as the settings say."""
        with self.world.lock:
            lifecycle.uninstall(self.world, application_id or self.application_id, location_id)

    def freeze(self, location_id: int, application_id: int | None = None) -> None:
        with self.world.lock:
            lifecycle.freeze(self.world, application_id or self.application_id, location_id)

    def tick(self) -> int:
        """Freeze the connections whose paid time is over, and return how many there were."""
        with self.world.lock:
            return lifecycle.tick(self.world)

    def pay(
        self,
        location_id: int,
        application_id: int | None = None,
        *,
        amount: Decimal | None = None,
        currency_iso: str | None = None,
        tariff_option_id: int | None = None,
    ) -> int:
        """Pay at Altegio as the owner does, by default for the first tariff option, and return the payment's id."""
        with self.world.lock:
            application = self.world.application(application_id or self.application_id)
            connection = self.world.installed(application.id, location_id)
            option = option_of(application, tariff_option_id)
            now = self.world.now()
            start = max(now, connection.paid_until() or now)
            discount = connection.discount
            price = option.overall_price * (100 - (discount or 0)) / 100
            report = lifecycle.PaymentReport(
                location_id=location_id,
                application_id=application.id,
                payment_sum=amount if amount is not None else round(price, 2),
                currency_iso=currency_iso or option.currency_iso,
                payment_date=now,
                period_from=start,
                period_to=start + timedelta(days=DAYS_IN_MONTH * option.duration_in_months),
            )
            payment = lifecycle.report_payment(self.world, report, lifecycle.USER)
            event = self._payment_event(report, payment.id, option.id, discount)
        self.callbacks.tell_payment(event)
        return payment.id

    def refuse_sms(self, message_id: str, status: int = 404) -> None:
        """Refuse every list of SMS statuses that holds this message, with this status code."""
        with self.world.lock:
            self.world.refused_sms[message_id] = status

    def sms_statuses(self) -> list[dict[str, Any]]:
        with self.world.lock:
            return copy.deepcopy(self.world.state.sms_statuses)

    def telephony(self) -> list[dict[str, Any]]:
        with self.world.lock:
            return copy.deepcopy(self.world.state.telephony)

    def chain(self, chain_id: int) -> Chain:
        with self.world.lock:
            return copy.deepcopy(self.world.chain(chain_id))

    def fault(self, kind: str, call: str = "*", **options: Any) -> Fault:
        """Add a rule (see `Fault`): `fault("drop_after", "activate", remaining=1)`."""
        with self.world.lock:
            return self.faults.add(Fault(kind=kind, call=call, **options))

    def clear_faults(self, fault_id: int | None = None) -> None:
        with self.world.lock:
            self.faults.clear(fault_id)

    def requests(self, call: str | None = None, location_id: int | None = None) -> list[LoggedCall]:
        """Return the calls that arrived, oldest first."""
        with self.world.lock:
            return [
                copy.copy(entry)
                for entry in self.journal.calls
                if call in (None, entry.call) and location_id in (None, entry.location_id)
            ]

    def clear_requests(self) -> None:
        with self.world.lock:
            self.journal.clear()

    def busiest_second(self) -> int:
        return busiest((entry.monotonic for entry in self.requests()), SECOND)

    def busiest_minute(self) -> int:
        return busiest((entry.monotonic for entry in self.requests()), MINUTE)

    def sent_callbacks(self) -> list[SentCallback]:
        with self.world.lock:
            return [copy.copy(item) for item in self.journal.callbacks]

    def send_callback(self, body: dict[str, Any], delay: float = 0.0) -> None:
        """Send any lifecycle callback, true or not; the partner token is added unless the body has one."""
        self.callbacks.send(body, delay=delay)

    def send_event(self, location_id: int, body: Any = None, application_id: int | None = None) -> int:
        """Send an entity webhook to the addresses of an active connection, and return how many there are.

        Raises RefusalError (403) if the connection is not active.
        """
        connection = self.connection(location_id, application_id)
        if connection is None or connection.status is not Status.ACTIVE:
            raise RefusalError(403, "not_installed")
        self.callbacks.send_event(connection.webhook_urls, self._record_event(location_id) if body is None else body)
        return len(connection.webhook_urls)

    def send_messages(
        self,
        location_id: int,
        application_id: int | None = None,
        *,
        count: int = 1,
        text: str = messages.DEFAULT_TEXT,
        sender: str = "Aurora",
    ) -> list[str]:
        """Send text messages through the partner, with the key of the activation, and return their send ids.

        Raises ValueError if the connection has no key. `callbacks.wait()` waits for the answers.
        """
        with self.world.lock:
            connection = self.world.connection(application_id or self.application_id, location_id)
            if connection is None or not connection.api_key:
                raise ValueError("This connection was given no key for messages at its activation.")
            new = messages.new_messages(self.world, connection, count, text, sender)
            address = f"{self.world.address}/smsprovider/status/callback/{self.partner_token}"
            bodies = messages.requests_of(self.settings, new, address)
            api_key = connection.api_key
        for body, group in bodies:
            messages.send(self.callbacks, self.world, api_key, body, group)
        return [item.id for item in new]

    def sent_messages(self) -> list[dict[str, Any]]:
        """Return the messages sent, each with the statuses that came back for it."""
        with self.world.lock:
            statuses = self.world.state.sms_statuses
            return [
                asdict(item) | {"statuses": [one["status"] for one in statuses if str(one["id"]) == item.id]}
                for item in self.world.state.messages
            ]

    def _ensure_application(self) -> None:
        if self.application_id not in self.world.applications:
            self.set_application(self.application_id)

    def _record_event(self, location_id: int) -> dict[str, Any]:
        when = format_moment(self.world.now(), self.world.zone)
        data = {"id": 1, "date": when, "attendance": 0}
        return {
            "company_id": location_id,
            "resource": "record",
            "resource_id": 1,
            "status": "create",
            "data": data,
        }

    def _payment_event(
        self, report: lifecycle.PaymentReport, payment_id: int, option_id: int, discount: Decimal | None
    ) -> dict[str, Any]:
        zone = self.world.zone
        return {
            "salon_id": report.location_id,
            "application_id": report.application_id,
            "payment_id": payment_id,
            "amount": report.payment_sum,
            "currency_iso": report.currency_iso,
            "discount": discount,
            "period_from": format_moment(report.period_from, zone),
            "period_to": format_moment(report.period_to, zone),
            "payment_date": format_moment(report.payment_date, zone),
            "tariff_option_id": option_id,
        }


def _listed(location_ids: int | Sequence[int]) -> list[int]:
    return [location_ids] if isinstance(location_ids, int) else list(location_ids)
