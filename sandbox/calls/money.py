"""Payments, refunds, tariffs, payment links and discounts (docs/altegio.md §2 and §3)."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlencode

from sandbox import checks, lifecycle
from sandbox.calls.registry import Call, call, call_on_either_host
from sandbox.models import Application, Tariff, TariffOption
from sandbox.refusals import RefusalError
from sandbox.wire import Response, envelope
from sandbox.world import World

MAX_LOCATIONS = 5000


@call("payment", "POST", "/marketplace/partner/payment")
def report_payment(world: World, call: Call) -> Response:
    body = call.fields()
    report = lifecycle.PaymentReport(
        location_id=body.integer("salon_id"),
        application_id=body.integer("application_id"),
        payment_sum=body.number("payment_sum"),
        currency_iso=body.currency("currency_iso"),
        payment_date=body.moment("payment_date", world.zone),
        period_from=body.moment("period_from", world.zone),
        period_to=body.moment("period_to", world.zone),
    )
    if report.period_to < report.period_from:
        body.wrong("period_to", "must not be before period_from")
    body.finish()
    return envelope({"id": lifecycle.report_payment(world, report).id})


@call("refund", "POST", "/marketplace/partner/payment/refund/{payment_id}")
def refund(world: World, call: Call) -> Response:
    lifecycle.refund(world, call.id("payment_id"))
    return envelope(None)


@call_on_either_host("tariffs", "GET", "/marketplace/application/{application_id}/tariffs")
def tariffs(world: World, call: Call) -> Response:
    return envelope([_tariff(item) for item in world.application(call.id("application_id")).tariffs])


@call_on_either_host("payment_link", "GET", "/marketplace/application/payment_link")
def payment_link(world: World, call: Call) -> Response:
    """Return the address of a page where the owner pays; 404 for an application without tariffs, as seen live."""
    location = world.location(call.query_integer("salon_id"))
    application = world.application(call.query_integer("application_id"))
    option = option_of(application, call.query_integer("tariff_option_id"))
    values = {"application_id": application.id, "tariff_option_id": option.id, "discount": _discount(call)}
    query = urlencode({name: value for name, value in values.items() if value is not None})
    return envelope({"url": f"{world.address}/locations/{location.id}/?{query}"})


@call_on_either_host("discount", "POST", "/marketplace/application/add_discount")
def add_discount(world: World, call: Call) -> Response:
    body = call.fields()
    location_ids = body.list_of("salon_ids", checks.location_id, least=1, most=MAX_LOCATIONS)
    application_id = body.integer("application_id")
    discount = body.number("discount", high=100)
    body.finish()
    for connection in [world.installed(application_id, item) for item in location_ids]:
        connection.discount = discount
    world.touch()
    return envelope(None)


def option_of(application: Application, option_id: int | None = None) -> TariffOption:
    """Return the tariff option with this id, or the first one. Raises RefusalError (404) if there is none."""
    for tariff in application.tariffs:
        for option in tariff.options:
            if option_id in (None, option.id):
                return option
    raise RefusalError(404, "no_tariffs")


def _discount(call: Call) -> Decimal | None:
    texts = call.query.get("discount", [])
    try:
        value = Decimal(texts[0]) if texts else None
    except InvalidOperation:
        value = Decimal(-1)
    if value is not None and not 0 <= value <= 100:
        raise RefusalError(422, "invalid", {"discount": ["must be between 0 and 100"]})
    return value


def _tariff(tariff: Tariff) -> dict[str, Any]:
    return {"id": tariff.id, "title": tariff.title, "options": [_option(item) for item in tariff.options]}


def _option(option: TariffOption) -> dict[str, Any]:
    return {
        "id": option.id,
        "title": option.title,
        "overall_price": option.overall_price,
        "duration_in_months": option.duration_in_months,
        "currency_iso": option.currency_iso,
        "staff_amount": option.staff_amount,
        "free_period_in_months": option.free_period_in_months,
    }
