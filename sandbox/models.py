"""The records of the sandbox: applications, chains, locations, people and the connections between them.

The terms are those of docs/altegio.md: `salon` on the wire is a location, `salon_group` is a chain.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any


class Status(StrEnum):
    """The states of a connection as the status call spells them (docs/altegio.md §2)."""

    PENDING = "pending"
    ACTIVE = "active"
    FREEZED = "freezed"
    UNINSTALLED = "uninstalled"


class Kind(StrEnum):
    """The purpose of an application; it decides which parameters an arrival has."""

    SMS = "sms"
    TELEPHONY = "telephony"
    CHAT = "chat"
    OTHER = "other"


@dataclass
class TariffOption:
    id: int
    title: str
    overall_price: Decimal
    duration_in_months: int
    currency_iso: str
    staff_amount: int | None = None
    free_period_in_months: int = 0


@dataclass
class Tariff:
    id: int
    title: str
    options: list[TariffOption] = field(default_factory=list)


@dataclass(frozen=True)
class Partner:
    """The company that offers the applications, as their cards say; `logo` is the file of an SVG or PNG."""

    name: str = ""
    logo: Path | None = None


@dataclass
class Application:
    """An application.

    A `private` one is active from the grant on; a `broken` one refuses every activation with «Агрегатор не найден».
    """

    id: int
    name: str
    kind: Kind
    summary: str = ""
    trial_days: int = 14
    tariffs: list[Tariff] = field(default_factory=list)
    private: bool = False
    broken: bool = False


@dataclass
class Chain:
    id: int
    title: str
    crm_token: str
    telephony_enabled: bool = False


@dataclass
class Location:
    id: int
    title: str
    public_title: str
    phone: str
    email: str
    country: str
    city: str
    timezone_name: str
    address: str
    chain_id: int | None = None
    in_business: bool = True
    currency: str = "EUR"
    hook_urls: list[str] = field(default_factory=list)
    hook_flags: dict[str, int] = field(default_factory=dict)


@dataclass
class User:
    """A person with an Altegio account; `phone` is in digits without a plus."""

    id: int
    name: str
    phone: str
    email: str


@dataclass
class LogEntry:
    changed_at: datetime
    status_from: Status | None
    status_to: Status
    source: str


@dataclass
class Payment:
    id: int
    payment_sum: Decimal
    currency_iso: str
    payment_date: datetime
    period_from: datetime
    period_to: datetime
    refunded_at: datetime | None = None

    @property
    def is_refunded(self) -> bool:
        return self.refunded_at is not None

    def covers(self, moment: datetime) -> bool:
        return not self.is_refunded and self.period_from <= moment <= self.period_to


@dataclass
class Connection:
    """One application at one location. `created_at` is the moment of consent.

    `api_key` and `webhook_urls` are the first ones that Altegio got; it keeps them until the uninstall.
    """

    application_id: int
    location_id: int
    status: Status
    created_at: datetime
    user_id: int | None = None
    trial_ends_at: datetime | None = None
    api_key: str | None = None
    webhook_urls: list[str] = field(default_factory=list)
    chat_url: str | None = None
    tips_url: str | None = None
    channels: dict[str, bool] = field(default_factory=dict)
    short_names: list[str] = field(default_factory=list)
    chat_panel: str | None = None
    chat_messages: list[dict[str, str]] = field(default_factory=list)
    chat_highlights: list[str] = field(default_factory=list)
    discount: Decimal | None = None
    payments: list[Payment] = field(default_factory=list)
    logs: list[LogEntry] = field(default_factory=list)

    @property
    def is_current(self) -> bool:
        return self.status is not Status.UNINSTALLED

    @property
    def is_installed(self) -> bool:
        return self.status in (Status.ACTIVE, Status.FREEZED)

    def paid_until(self) -> datetime | None:
        """Return the later of the trial's end and the end of the last period that was not refunded."""
        ends = [payment.period_to for payment in self.payments if not payment.is_refunded]
        if self.trial_ends_at is not None:
            ends.append(self.trial_ends_at)
        return max(ends, default=None)


@dataclass
class Message:
    """A message sent to the portal for one number, and what the portal answered about it.

    `code` is 0 without an answer; `problem` says how the answer deviates from the documentation.
    """

    id: str
    location_id: int
    application_id: int
    phone: str
    text: str
    sender: str
    at: str
    code: int = 0
    ext_id: str = ""
    refusal: str = ""
    problem: str = ""
    seconds: float = 0.0


@dataclass
class State:
    """Everything that is kept in the data file."""

    applications: list[Application] = field(default_factory=list)
    chains: list[Chain] = field(default_factory=list)
    locations: list[Location] = field(default_factory=list)
    users: list[User] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)
    telephony: list[dict[str, Any]] = field(default_factory=list)
    sms_statuses: list[dict[str, Any]] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    last_payment_id: int = 1000
    last_send_id: int = 0


def utc_now() -> datetime:
    return datetime.now(UTC)
