"""The life of a connection at Altegio: consent, trial, payments, freeze, uninstall (docs/altegio.md §1 to §3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from sandbox.models import Application, Connection, LogEntry, Payment, Status
from sandbox.refusals import RefusalError
from sandbox.world import World

PARTNER = "partner"
USER = "user"
SYSTEM = "system"


@dataclass(frozen=True)
class Activation:
    """The content of an activation call (docs/altegio.md §2)."""

    location_id: int
    application_id: int
    api_key: str | None = None
    webhook_urls: list[str] = field(default_factory=list)
    chat_url: str | None = None
    tips_url: str | None = None
    channels: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class PaymentReport:
    """The content of a payment report (docs/altegio.md §2)."""

    location_id: int
    application_id: int
    payment_sum: Decimal
    currency_iso: str
    payment_date: datetime
    period_from: datetime
    period_to: datetime


def grant(
    world: World,
    application_id: int,
    location_id: int,
    user_id: int | None = None,
    at: datetime | None = None,
) -> Connection:
    """Give consent, as the owner does by pressing Connect. An installed connection stays as it is."""
    application = world.application(application_id)
    world.location(location_id)
    moment = at or world.now()
    connection = world.connection(application_id, location_id)
    if connection is None:
        connection = Connection(application_id, location_id, Status.PENDING, moment, user_id)
        world.add_connection(connection)
        connection.logs.append(LogEntry(moment, None, Status.PENDING, USER))
    elif not connection.is_installed:
        connection.created_at, connection.user_id = moment, user_id
        if connection.status is not Status.PENDING:
            _move(connection, Status.PENDING, USER, moment)
    if application.private and connection.status is Status.PENDING:
        _switch_on(connection, application, moment, SYSTEM)
    world.touch()
    return connection


def connect_elsewhere(world: World, application_id: int, location_id: int, at: datetime) -> Connection:
    """Connect the location as if a system of the partner's had done it long ago, before the portal."""
    connection = grant(world, application_id, location_id, at=at)
    if not connection.is_installed:
        _keep_first(
            connection,
            Activation(location_id, application_id, "key-of-before", ["https://before.example/events"]),
        )
        _switch_on(connection, world.application(application_id), at, PARTNER)
        world.touch()
    return connection


def activate(world: World, wish: Activation) -> Connection:
    """Activate a connection. Raises RefusalError (403) without an open grant, or after the window."""
    application = world.application(wish.application_id)
    if application.broken:
        raise RefusalError(400, "broken")
    world.location(wish.location_id)
    connection = world.connection(wish.application_id, wish.location_id)
    if connection is None or not connection.is_current:
        raise RefusalError(403, "no_grant")
    if connection.is_installed:
        raise RefusalError(403, "already_installed")
    now = world.now()
    if now - connection.created_at > timedelta(seconds=world.settings.activation_window):
        raise RefusalError(403, "too_late")
    _keep_first(connection, wish)
    _switch_on(connection, application, now, PARTNER)
    world.touch()
    return connection


def uninstall(world: World, application_id: int, location_id: int, source: str = USER) -> None:
    """Disconnect for the owner or the partner. The portal gets a callback only if the owner did it."""
    connection = world.connection(application_id, location_id)
    if connection is None or not connection.is_current:
        raise RefusalError(404, "not_installed")
    _move(connection, Status.UNINSTALLED, source, world.now())
    connection.api_key, connection.webhook_urls, connection.short_names = None, [], []
    connection.chat_url, connection.tips_url, connection.channels = None, None, {}
    connection.chat_panel = None
    world.touch()
    if source != PARTNER:
        _tell(world, connection, "uninstall")


def freeze(world: World, application_id: int, location_id: int) -> None:
    """Freeze the connection, as Altegio does if nothing was paid for the current time."""
    connection = world.installed(application_id, location_id)
    if connection.status is not Status.FREEZED:
        _freeze(world, connection)


def report_payment(world: World, report: PaymentReport, source: str = PARTNER) -> Payment:
    """Store a payment as often as it is reported, and reactivate a frozen connection (docs/altegio.md §3)."""
    connection = world.installed(report.application_id, report.location_id)
    world.state.last_payment_id += 1
    payment = Payment(
        id=world.state.last_payment_id,
        payment_sum=report.payment_sum,
        currency_iso=report.currency_iso,
        payment_date=report.payment_date,
        period_from=report.period_from,
        period_to=report.period_to,
    )
    connection.payments.append(payment)
    if connection.status is Status.FREEZED:
        _move(connection, Status.ACTIVE, source, world.now())
    world.touch()
    return payment


def refund(world: World, payment_id: int) -> Payment:
    """Refund a payment once. Refunding the current period switches the connection off (docs/altegio.md §3)."""
    connection, payment = _find_payment(world, payment_id)
    if payment.is_refunded:
        raise RefusalError(403, "already_refunded")
    now = world.now()
    was_current = payment.covers(now)
    payment.refunded_at = now
    still_covered = any(other.covers(now) for other in connection.payments)
    if was_current and not still_covered and connection.status is Status.ACTIVE:
        _freeze(world, connection)
    world.touch()
    return payment


def tick(world: World) -> int:
    """Freeze every active connection whose trial and paid periods are over; return how many there were."""
    now = world.now()
    active = [c for c in world.state.connections if c.status is Status.ACTIVE]
    over = [c for c in active if (end := c.paid_until()) is not None and end < now]
    for connection in over:
        _freeze(world, connection)
    return len(over)


def _find_payment(world: World, payment_id: int) -> tuple[Connection, Payment]:
    for connection in world.state.connections:
        for payment in connection.payments:
            if payment.id == payment_id:
                return connection, payment
    raise RefusalError(403, "no_payment")


def _keep_first(connection: Connection, wish: Activation) -> None:
    # Altegio keeps the first key and addresses that it got until the uninstall.
    connection.api_key = connection.api_key or wish.api_key
    connection.webhook_urls = connection.webhook_urls or list(wish.webhook_urls)
    connection.chat_url, connection.tips_url = wish.chat_url, wish.tips_url
    connection.channels = dict.fromkeys(wish.channels, True)


def _switch_on(connection: Connection, application: Application, now: datetime, source: str) -> None:
    _move(connection, Status.ACTIVE, source, now)
    if connection.trial_ends_at is None:
        connection.trial_ends_at = now + timedelta(days=application.trial_days)


def _freeze(world: World, connection: Connection) -> None:
    _move(connection, Status.FREEZED, SYSTEM, world.now())
    world.touch()
    _tell(world, connection, "freeze")


def _move(connection: Connection, status: Status, source: str, at: datetime) -> None:
    connection.logs.append(LogEntry(at, connection.status, status, source))
    connection.status = status


def _tell(world: World, connection: Connection, event: str) -> None:
    world.tell({"salon_id": connection.location_id, "application_id": connection.application_id, "event": event})
