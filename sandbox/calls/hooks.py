"""The webhook settings of a location: the addresses of all applications together (docs/altegio.md §2)."""

from __future__ import annotations

from sandbox import checks
from sandbox.calls.registry import API, Call, call
from sandbox.models import Location, Status
from sandbox.wire import Response, envelope
from sandbox.world import World

FLAGS = (
    *("salon", "service_category", "service", "good", "master", "client", "record"),
    *("goods_operations_sale", "goods_operations_receipt", "goods_operations_consumable", "goods_operations_stolen"),
    *("goods_operations_move", "finances_operation", "self_sending"),
)


@call("hooks_settings", "GET", API + "/hooks_settings/{location_id}", by_user=True)
def hooks_settings(world: World, call: Call) -> Response:
    location = world.location(call.id("location_id"))
    flags = {name: location.hook_flags.get(name, 1) for name in ("active", *FLAGS)}
    return envelope({"urls": addresses_of(world, location), **flags})


@call("set_hooks_settings", "POST", API + "/hooks_settings/{location_id}", by_user=True)
def set_hooks_settings(world: World, call: Call) -> Response:
    """Replace all addresses of the location, whichever application they belong to."""
    location = world.location(call.id("location_id"))
    body = call.fields()
    urls = body.list_of("urls", checks.webhook_url, most=checks.MAX_WEBHOOK_URLS)
    flags = {name: int(body.integer(name, low=0)) for name in ("active", *FLAGS) if body.has(name)}
    body.finish()
    for connection in world.state.connections:
        if connection.location_id == location.id:
            connection.webhook_urls = [url for url in connection.webhook_urls if url in urls]
    location.hook_urls, location.hook_flags = list(urls), flags
    world.touch()
    return envelope(None, 201)


def addresses_of(world: World, location: Location) -> list[str]:
    """Return each address once: those of the settings first, then those of the active connections."""
    live = [c for c in world.state.connections if c.location_id == location.id and c.status is Status.ACTIVE]
    urls = [*location.hook_urls, *(url for connection in live for url in connection.webhook_urls)]
    return list(dict.fromkeys(urls))
