"""Dictionaries and user-token calls: a location, its users, notification settings (docs/altegio.md §2)."""

from __future__ import annotations

from sandbox.calls.registry import API, Call, call
from sandbox.wire import Response, envelope
from sandbox.world import World

TYPES = (
    (1, "record_create", "New appointment"),
    (2, "record_delete", "Cancelled appointment"),
    (3, "record_reminder", "Reminder before a visit"),
)


@call("countries", "GET", API + "/countries")
def countries(world: World, call: Call) -> Response:
    """Return a dictionary, which also shows that the host answers."""
    names = sorted({location.country for location in world.state.locations})
    return envelope([{"id": number, "title": name} for number, name in enumerate(names, 1)])


@call("company", "GET", API + "/company/{location_id}", by_user=True)
def company(world: World, call: Call) -> Response:
    location = world.location(call.id("location_id"))
    return envelope(
        {
            "id": location.id,
            "title": location.title,
            "public_title": location.public_title,
            "country": location.country,
            "city": location.city,
            "address": location.address,
            "phone": location.phone,
            "phones": [location.phone],
            "email": location.email,
            "timezone": location.timezone_name,
            "currency": location.currency,
        }
    )


@call("company_users", "GET", API + "/company_users/{location_id}", by_user=True)
def company_users(world: World, call: Call) -> Response:
    """Return all users. Those who connected an application there may manage the users, the others may only look."""
    location = world.location(call.id("location_id"))
    managers = {item.user_id for item in world.state.connections if item.location_id == location.id}
    return envelope(
        [
            {
                "id": user.id,
                "name": user.name,
                "email": user.email,
                "phone": user.phone,
                "access": {"edit_users_access": user.id in managers, "view_records_access": True},
            }
            for user in world.state.users
        ]
    )


@call("notification_types", "GET", API + "/notification_settings/{location_id}/notification_types", by_user=True)
def notification_types(world: World, call: Call) -> Response:
    world.location(call.id("location_id"))
    return envelope([{"id": number, "slug": slug, "title": title} for number, slug, title in TYPES])


@call("notification_users", "GET", API + "/notification_settings/{location_id}/users/{user_id}", by_user=True)
def notification_settings(world: World, call: Call) -> Response:
    world.location(call.id("location_id"))
    world.user(call.id("user_id"))
    types = [{"type_id": number, "sms": True, "push": False} for number, _slug, _title in TYPES]
    return envelope({"mode": "custom", "notification_types": types})
