"""The control API under `/_sandbox/`: the core's methods as JSON, for tests in other processes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic_core import to_jsonable_python

from sandbox.core import SandboxCore
from sandbox.faults import Fault
from sandbox.refusals import RefusalError
from sandbox.wire import Request, Response, json_response, read_json, refusal_envelope

Arguments = dict[str, Any]
Action = Callable[[SandboxCore, Arguments], Any]
PREFIX = "/_sandbox/"
FAULT_FIELDS = frozenset(item.name for item in fields(Fault)) - {"id"}


def answer(sandbox: SandboxCore, request: Request) -> Response:
    """Run a control call and return its result as JSON; 400 says what is wrong with the arguments."""
    action = ACTIONS.get((request.method, request.path.removeprefix(PREFIX).strip("/")))
    if action is None:
        return json_response(404, {"error": "there is no such control call", "calls": _index()})
    try:
        result = action(sandbox, _arguments(request))
    except RefusalError as refusal:
        return refusal_envelope(refusal.status, refusal.meta("en"))
    except (KeyError, TypeError, ValueError) as error:
        return json_response(400, {"error": f"{type(error).__name__}: {error}"})
    return json_response(200, {"ok": True} if result is None else result)


def _arguments(request: Request) -> Arguments:
    if request.body:
        body = read_json(request.body)
        if not isinstance(body, dict):
            raise TypeError("the body must be a JSON object")
        return body
    return {name: int(value[0]) if value[0].isdigit() else value[0] for name, value in request.query.items()}


def _index() -> list[str]:
    return [f"{method} {PREFIX}{path}" for method, path in sorted(ACTIONS, key=lambda key: key[1])]


def _state(sandbox: SandboxCore, arguments: Arguments) -> Any:
    del arguments
    with sandbox.world.lock:
        return to_jsonable_python(sandbox.world.state)


def _grant(sandbox: SandboxCore, arguments: Arguments) -> Any:
    location_ids = arguments.get("salon_ids") or [arguments["salon_id"]]
    application_id, user_id = arguments.get("application_id"), arguments.get("user_id")
    at = datetime.fromisoformat(arguments["at"]) if "at" in arguments else None
    sandbox.grant(location_ids, application_id, user_id, at)
    return {"url": sandbox.arrival_url(location_ids, application_id, user_id, arguments.get("form"))}


def _connect_elsewhere(sandbox: SandboxCore, arguments: Arguments) -> Any:
    at = datetime.fromisoformat(arguments["at"]) if "at" in arguments else None
    sandbox.connect_elsewhere(
        arguments.get("salon_ids") or [arguments["salon_id"]], arguments.get("application_id"), at
    )


def _pay(sandbox: SandboxCore, arguments: Arguments) -> Any:
    amount = arguments.get("amount")
    payment_id = sandbox.pay(
        *_place(arguments),
        amount=None if amount is None else Decimal(str(amount)),
        currency_iso=arguments.get("currency_iso"),
        tariff_option_id=arguments.get("tariff_option_id"),
    )
    return {"id": payment_id}


def _place(arguments: Arguments) -> tuple[int, int | None]:
    return arguments["salon_id"], arguments.get("application_id")


def _add_fault(sandbox: SandboxCore, arguments: Arguments) -> Any:
    if unknown := arguments.keys() - FAULT_FIELDS:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    numbers = {name: float(arguments[name]) for name in ("seconds",) if name in arguments}
    return sandbox.fault(**{**arguments, **numbers}).as_json()


def _faults(sandbox: SandboxCore, arguments: Arguments) -> Any:
    del arguments
    with sandbox.world.lock:
        return [rule.as_json() for rule in sandbox.faults.rules]


def _requests(sandbox: SandboxCore, arguments: Arguments) -> Any:
    found = sandbox.requests(arguments.get("call"), arguments.get("salon_id"))
    return {
        "busiest_second": sandbox.busiest_second(),
        "busiest_minute": sandbox.busiest_minute(),
        "requests": [entry.as_json() for entry in found[-arguments.get("last", len(found)) :]] if found else [],
    }


def _callback(sandbox: SandboxCore, arguments: Arguments) -> Any:
    delay = float(arguments.pop("delay", 0))
    sandbox.send_callback(json.loads(json.dumps(arguments, default=float)), delay)


def _event(sandbox: SandboxCore, arguments: Arguments) -> Any:
    location_id, application_id = _place(arguments)
    return {"addresses": sandbox.send_event(location_id, arguments.get("body"), application_id)}


def _add_chain(sandbox: SandboxCore, arguments: Arguments) -> Any:
    chain, location_ids = sandbox.add_chain(arguments["locations"], arguments.get("title", "Grand Network"))
    return {"salon_group_id": chain.id, "crm_token": chain.crm_token, "salon_ids": location_ids}


def _configure(sandbox: SandboxCore, arguments: Arguments) -> Any:
    plain = {name: float(value) if isinstance(value, Decimal) else value for name, value in arguments.items()}
    return sandbox.configure(**plain).as_json()


def _application(sandbox: SandboxCore, arguments: Arguments) -> Any:
    allowed = {"application_id", "private", "broken", "trial_days", "name"}
    if unknown := arguments.keys() - allowed:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    return to_jsonable_python(sandbox.set_application(**arguments))


def _send_messages(sandbox: SandboxCore, arguments: Arguments) -> Any:
    named = {name: arguments[name] for name in ("count", "text", "sender") if name in arguments}
    return {"ids": sandbox.send_messages(*_place(arguments), **named)}


ACTIONS: dict[tuple[str, str], Action] = {
    ("GET", "state"): _state,
    ("POST", "reset"): lambda sandbox, _: sandbox.reset(),
    ("POST", "grant"): _grant,
    ("POST", "connect_elsewhere"): _connect_elsewhere,
    ("POST", "uninstall"): lambda sandbox, given: sandbox.uninstall(*_place(given)),
    ("POST", "freeze"): lambda sandbox, given: sandbox.freeze(*_place(given)),
    ("POST", "pay"): _pay,
    ("POST", "tick"): lambda sandbox, _: {"frozen": sandbox.tick()},
    ("GET", "faults"): _faults,
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): lambda sandbox, given: sandbox.clear_faults(given.get("id")),
    ("GET", "requests"): _requests,
    ("DELETE", "requests"): lambda sandbox, _: sandbox.clear_requests(),
    ("GET", "callbacks"): lambda sandbox, _: [item.as_json() for item in sandbox.sent_callbacks()],
    ("POST", "callbacks"): _callback,
    ("POST", "events"): _event,
    ("GET", "messages"): lambda sandbox, _: sandbox.sent_messages(),
    ("POST", "messages"): _send_messages,
    ("POST", "chains"): _add_chain,
    ("POST", "crowd"): lambda sandbox, given: to_jsonable_python(sandbox.add_crowd(given["locations"])),
    ("POST", "partner"): lambda _desk, _event: None,
    ("POST", "applications"): _application,
    ("POST", "refuse_sms"): lambda sandbox, given: sandbox.refuse_sms(str(given["id"]), given.get("status", 404)),
    ("GET", "settings"): lambda sandbox, _: sandbox.settings.as_json(),
    ("POST", "settings"): _configure,
}
