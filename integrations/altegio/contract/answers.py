"""Shapes of each answer's `data` (docs/altegio.md §2)."""

from typing import Annotated, Any

from integrations.altegio.contract.shapes import (
    EmptyListIsNone,
    Flag,
    Id,
    Moment,
    Number,
    OpenShape,
    Shape,
    Text,
    Whole,
    Words,
    one_of,
)

STATES = ("pending", "active", "freezed")


class CurrentStatus(Shape):
    status: Annotated[Any, one_of(*STATES)]
    created_at: Moment


class StatusPayment(Shape):
    id: Id
    payment_sum: Number
    payment_date: Moment
    is_refunded: Flag
    period_from: Moment
    period_to: Moment
    refunded_at: Moment | None = None


class StatusLogEntry(Shape):
    changed_at: Moment
    status_from: Annotated[Any, one_of(*STATES, "uninstalled")] | None
    status_to: Annotated[Any, one_of(*STATES, "uninstalled")]
    source: Text | None


class Status(Shape):
    connection_status: Annotated[CurrentStatus | None, EmptyListIsNone]
    payments: list[StatusPayment]
    logs: list[StatusLogEntry]
    special_settings: Any = None  # no source names its fields


class ConnectedLocation(Shape):
    id: Id
    title: Text
    public_title: Text | None
    phone: Words | None
    email: Text | None
    country: Words | None
    city: Words | None
    timezone_name: Text | None
    address: Text | None
    active: Flag


class ReportedPayment(Shape):
    id: Id


class TariffOption(Shape):
    id: Id
    title: Text
    overall_price: Number
    duration_in_months: Whole
    currency_iso: Text
    staff_amount: Whole | None = None
    free_period_in_months: Whole | None = None


class Tariff(Shape):
    id: Id
    title: Text
    options: list[TariffOption]


class PaymentLink(Shape):
    url: Text


class ListedCall(Shape):
    type: Annotated[Any, one_of("incoming", "outgoing", "internal")]
    phone: Words
    diversion: Words | None
    user: Words | None = None
    duration: Whole | None = None
    link: Text | None = None
    call_id: Words | None = None
    status: (
        Annotated[Any, one_of("success", "missed", "cancel", "busy", "notallowed", "notavailable", "notfound")] | None
    ) = None
    date: Text | None = None


class UserNotifications(Shape):
    mode: Any
    notification_types: list[Any]


class Company(OpenShape):
    id: Id
    title: Text
    public_title: Text | None = None
    country: Words | None
    city: Words | None
    timezone: Words | None
    currency: Any
    email: Text | None = None
    phone: Any = None
    phones: Any = None


class CompanyUser(OpenShape):
    id: Id
    access: Annotated[dict[str, Any] | None, EmptyListIsNone]


class HooksSettings(OpenShape):
    urls: list[Text]
    active: Flag
