"""Activation, status, connected locations and uninstall (docs/altegio.md §2)."""

from __future__ import annotations

from typing import Any

from sandbox import checks, lifecycle
from sandbox.calls.registry import Call, call
from sandbox.models import Connection, Location, Payment, Status
from sandbox.refusals import RefusalError
from sandbox.wire import Response, envelope, format_moment, json_response, redirect, stringify_numbers
from sandbox.world import World

MAX_PAGE = 1000


@call("activate", "POST", "/marketplace/partner/callback")
def activate(world: World, call: Call) -> Response:
    connection = lifecycle.activate(world, _read_activation(call))
    return envelope({"salon_id": connection.location_id, "application_id": connection.application_id}, 201)


@call("activate_redirect", "POST", "/marketplace/partner/callback/redirect")
def activate_and_redirect(world: World, call: Call) -> Response:
    """Activate, then answer 301 to an HTML page or 200 with JSON, as `redirect_answer` says."""
    connection = lifecycle.activate(world, _read_activation(call))
    if world.settings.redirect_answer == 301:
        return redirect(301, f"/frame/{connection.location_id}/{connection.application_id}/")
    return json_response(200, {"success": True})


@call("status", "GET", "/marketplace/salon/{location_id}/application/{application_id}")
def status(world: World, call: Call) -> Response:
    world.application(call.id("application_id"))
    world.location(call.id("location_id"))
    connection = world.connection(call.id("application_id"), call.id("location_id"))
    if connection is None or (not connection.is_current and world.settings.gone_answer == "404"):
        raise RefusalError(404, "not_installed")
    return _answer(world, _status_of(world, connection))


@call("salons", "GET", "/marketplace/application/{application_id}/salons")
def connected_locations(world: World, call: Call) -> Response:
    page = call.query_integer("page", default=1)
    count = call.query_integer("count", default=25, most=MAX_PAGE)
    application = world.application(call.id("application_id"))
    wanted = [Status.ACTIVE, Status.FREEZED] if world.settings.list_frozen else [Status.ACTIVE]
    found = world.connections_of(application.id, wanted)
    shown = found[(page - 1) * count : page * count]
    rows = [_salon(world.location(item.location_id)) for item in shown]
    return _answer(world, rows, {"count": len(found)})


@call("uninstall", "POST", "/marketplace/salon/{location_id}/application/{application_id}/uninstall")
def uninstall(world: World, call: Call) -> Response:
    world.application(call.id("application_id"))
    world.location(call.id("location_id"))
    lifecycle.uninstall(world, call.id("application_id"), call.id("location_id"), lifecycle.PARTNER)
    return envelope(None)


def _read_activation(call: Call) -> lifecycle.Activation:
    body = call.fields()
    wish = lifecycle.Activation(
        location_id=body.integer("salon_id"),
        application_id=body.integer("application_id"),
        api_key=body.optional_text("api_key"),
        webhook_urls=body.list_of("webhook_urls", checks.webhook_url, most=checks.MAX_WEBHOOK_URLS),
        chat_url=body.optional_text("chat_url"),
        tips_url=body.optional_text("tips_url"),
        channels=body.list_of("channels", checks.channel, most=2),
    )
    body.finish()
    return wish


def _answer(world: World, data: Any, meta: dict[str, Any] | None = None) -> Response:
    return envelope(stringify_numbers(data) if world.settings.numbers_as_strings else data, meta=meta)


def _status_of(world: World, connection: Connection) -> dict[str, Any]:
    current = {
        "status": connection.status,
        "created_at": format_moment(connection.created_at, world.zone),
    }
    if world.settings.surprises:
        current |= {"plan_name": "Anna 2026"} | ({"status": "paused"} if connection.status is Status.FREEZED else {})
    return {
        "connection_status": current if connection.is_current else None,
        "special_settings": _special_settings(connection),
        "payments": [_payment(world, item) for item in connection.payments],
        "logs": [
            {
                "changed_at": format_moment(entry.changed_at, world.zone),
                "status_from": entry.status_from,
                "status_to": entry.status_to,
                "source": entry.source,
            }
            for entry in connection.logs
        ],
    }


def _special_settings(connection: Connection) -> dict[str, Any] | list[Any]:
    """Return the recorded settings of the activation, or an empty list, which is how PHP writes an empty object."""
    recorded = {
        "api_key": connection.api_key,
        "webhook_urls": connection.webhook_urls,
        "chat_url": connection.chat_url,
        "tips_url": connection.tips_url,
        "channels": [slug for slug, is_on in connection.channels.items() if is_on],
    }
    return {name: value for name, value in recorded.items() if value} or []


def _payment(world: World, payment: Payment) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": payment.id,
        "payment_sum": payment.payment_sum,
        "payment_date": format_moment(payment.payment_date, world.zone),
        "is_refunded": payment.is_refunded,
        "period_from": format_moment(payment.period_from, world.zone),
        "period_to": format_moment(payment.period_to, world.zone),
    }
    if payment.refunded_at is not None:
        row["refunded_at"] = format_moment(payment.refunded_at, world.zone)
    return row


def _salon(location: Location) -> dict[str, Any]:
    """Return a location's row. `active` is about the location, so a frozen connection looks like an active one."""
    return {
        "id": location.id,
        "title": location.title,
        "public_title": location.public_title,
        "phone": location.phone,
        "email": location.email,
        "country": location.country,
        "city": location.city,
        "timezone_name": location.timezone_name,
        "address": location.address,
        "active": int(location.in_business),
    }
