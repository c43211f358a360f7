"""Every call of docs/altegio.md §2: its address, its body, and its possible answers."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, TypeAdapter

from integrations.altegio.contract import answers, bodies
from integrations.altegio.requests import ApiRequest

# Any call may get these codes: not accepted, not allowed, not found, not valid, too many.
GENERAL_REFUSALS = frozenset({401, 403, 404, 422, 429})
ANYTHING: TypeAdapter[Any] = TypeAdapter(Any)


@dataclass(frozen=True)
class CallContract:
    """The contract of one call. `path` is as docs/altegio.md writes it, without its host; `codes` are its status
    codes.

    `data` describes the `data` of an accepted call; if the documents show nothing, it allows anything.
    """

    name: str
    method: str
    path: str
    codes: frozenset[int]
    data: TypeAdapter[Any] = ANYTHING
    body: type[BaseModel] | None = None
    pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        path = re.sub(r"\\\{\w+\\\}", r"[^/]+", re.escape(self.path))
        object.__setattr__(self, "pattern", re.compile(path))


def _call(
    name: str, method: str, path: str, codes: Iterable[int] = (200,), *, data: Any = Any, body: Any = None
) -> CallContract:
    adapter = ANYTHING if data is Any else TypeAdapter(data)
    return CallContract(name, method, path, GENERAL_REFUSALS | frozenset(codes), adapter, body)


_APPLICATION = "/marketplace/application"
_AT_LOCATION = "/marketplace/salon/{salon_id}/application/{application_id}"

CALLS = (
    _call("activate", "POST", "/marketplace/partner/callback", (200, 201, 400), body=bodies.Activation),
    _call("status", "GET", _AT_LOCATION, data=answers.Status),
    _call("uninstall", "POST", f"{_AT_LOCATION}/uninstall"),
    _call(
        "connected locations",
        "GET",
        f"{_APPLICATION}/{{application_id}}/salons",
        data=list[answers.ConnectedLocation],
    ),
    _call("payment", "POST", "/marketplace/partner/payment", data=answers.ReportedPayment, body=bodies.Payment),
    _call("refund", "POST", "/marketplace/partner/payment/refund/{payment_id}"),
    _call("sender names", "POST", "/marketplace/partner/short_names", (200, 201), body=bodies.SenderNames),
    _call("chat panel", "POST", f"{_APPLICATION}/install_frame", body=bodies.ChatPanel),
    _call("chat message", "POST", f"{_APPLICATION}/new_message", body=bodies.ChatSignal),
    _call("chat highlight", "POST", f"{_APPLICATION}/toggle_highlight", body=bodies.ChatSignal),
    _call("tariffs", "GET", f"{_APPLICATION}/{{application_id}}/tariffs", (200, 405), data=list[answers.Tariff]),
    _call("payment link", "GET", f"{_APPLICATION}/payment_link", (200, 405), data=answers.PaymentLink),
    _call("discount", "POST", f"{_APPLICATION}/add_discount", (200, 405), body=bodies.Discount),
    _call("channel", "POST", f"{_APPLICATION}/update_channel", (200, 405), body=bodies.Channel),
    _call("telephony", "POST", "/voip/integration", (202,), body=bodies.Telephony),
    _call("call list", "GET", "/voip/integration/calls", data=list[answers.ListedCall]),
    _call("SMS statuses", "POST", "/smsprovider/status/callback/{token}", (200, 400), body=bodies.MessageStatuses),
    _call("SMS statuses", "POST", "/api/v1/delivery/status", (200, 400), body=bodies.MessageStatuses),
    _call("notification types", "GET", "/notification_settings/{location_id}/notification_types", data=list[Any]),
    _call(
        "notification settings",
        "GET",
        "/notification_settings/{location_id}/users/{user_id}",
        data=answers.UserNotifications,
    ),
    _call("countries", "GET", "/countries", data=list[Any]),
    _call("location", "GET", "/company/{location_id}", data=answers.Company),
    _call("people", "GET", "/company_users/{location_id}", data=list[answers.CompanyUser]),
    _call("webhook settings", "GET", "/hooks_settings/{location_id}", data=answers.HooksSettings),
    _call("webhook settings", "POST", "/hooks_settings/{location_id}", (200, 201), body=bodies.WebhookSettings),
)


def contract_of(request: ApiRequest) -> CallContract | None:
    """Return the contract of a request, or None if there is none."""
    for call in CALLS:
        if call.method == request.method and call.pattern.fullmatch(request.path):
            return call
    return None
