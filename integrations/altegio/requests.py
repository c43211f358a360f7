"""Builders of the calls that the portal makes, one function each (docs/altegio.md §2); `client` sends them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

Host = Literal["app", "api"]
# No maximum page size is documented; the reference's sample has this one (docs/altegio.md §2, call list).
CALL_LIST_PAGE = 25


@dataclass(frozen=True)
class ApiRequest:
    """An HTTP call to Altegio. `secrets` are values inside it that no record may show.

    `at_root`: the path follows the host's origin, not its configured address. `user_token`: some calls need an
    Altegio user's token beside the partner's. `hides_answer`: the answer is not recorded, because it describes people
    or holds secrets of others.
    """

    method: Literal["GET", "POST"]
    host: Host
    path: str
    body: Any = None
    query: Mapping[str, Any] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    at_root: bool = False
    user_token: str = ""
    hides_answer: bool = False


def activate(
    salon_id: int,
    application_id: int,
    *,
    api_key: str = "",
    webhook_urls: Sequence[str] = (),
    extras: Mapping[str, Any] | None = None,
) -> ApiRequest:
    """Build the activation of the integration; answered with 201, or 200."""
    body: dict[str, Any] = {"salon_id": salon_id, "application_id": application_id}
    if api_key:
        body["api_key"] = api_key
    if webhook_urls:
        body["webhook_urls"] = list(webhook_urls)
    body |= extras or {}
    return ApiRequest("POST", "app", "/marketplace/partner/callback", body, secrets=(api_key,) if api_key else ())


def status(salon_id: int, application_id: int, *, secrets: tuple[str, ...] = ()) -> ApiRequest:
    """Build the question about one connection's status.

    `secrets` are the activation's values that the answer repeats.
    """
    path = f"/marketplace/salon/{salon_id}/application/{application_id}"
    return ApiRequest("GET", "app", path, secrets=secrets)


def uninstall(salon_id: int, application_id: int) -> ApiRequest:
    """Build the call that disconnects the application at the location; answered with 200."""
    return ApiRequest("POST", "app", f"/marketplace/salon/{salon_id}/application/{application_id}/uninstall")


def connected_locations(application_id: int, *, page: int, count: int = 1000) -> ApiRequest:
    """Build the request for one page (from 1) of the connected locations, at most 1000 of them."""
    path = f"/marketplace/application/{application_id}/salons"
    return ApiRequest("GET", "app", path, query={"page": page, "count": count})


def report_payment(
    salon_id: int,
    application_id: int,
    *,
    currency_iso: str,
    payment_sum: Decimal,
    payment_date: str,
    period_from: str,
    period_to: str,
) -> ApiRequest:
    """Build the report of a payment. Times are wire times; the period includes both ends; the sum is sent exactly."""
    body = {
        "salon_id": salon_id,
        "application_id": application_id,
        "currency_iso": currency_iso,
        "payment_sum": payment_sum,
        "payment_date": payment_date,
        "period_from": period_from,
        "period_to": period_to,
    }
    return ApiRequest("POST", "app", "/marketplace/partner/payment", body)


def refund_payment(payment_id: int) -> ApiRequest:
    """Build the refund of a reported payment, by Altegio's id of it."""
    return ApiRequest("POST", "app", f"/marketplace/partner/payment/refund/{payment_id}")


def tariffs(application_id: int) -> ApiRequest:
    """Build the request for what the owner can buy at Altegio itself.

    This call, `payment_link`, `add_discount` and `update_channel` may belong to either host.
    """
    return ApiRequest("GET", "app", f"/marketplace/application/{application_id}/tariffs")


def payment_link(salon_id: int, application_id: int, *, tariff_option_id: int, discount: Decimal) -> ApiRequest:
    """Build the request for the address where the owner pays a tariff option; the discount is in percent."""
    query = {"salon_id": salon_id, "application_id": application_id, "tariff_option_id": tariff_option_id}
    return ApiRequest("GET", "app", "/marketplace/application/payment_link", query=query | _if_any(discount))


def add_discount(salon_ids: Sequence[int], application_id: int, *, discount: Decimal) -> ApiRequest:
    """Build the call that sets the discount of locations, 0 to 100 percent; decimals are allowed."""
    body = {"salon_ids": list(salon_ids), "application_id": application_id, "discount": discount}
    return ApiRequest("POST", "app", "/marketplace/application/add_discount", body)


def _if_any(discount: Decimal) -> dict[str, Decimal]:
    return {"discount": discount} if discount else {}


def telephony(crm_token: str, *, enable: bool) -> ApiRequest:
    """Build the call that switches a chain's telephony on or off; answered with 202."""
    body = {"command": "setup", "crm_token": crm_token, "type": "enable" if enable else "disable"}
    return ApiRequest("POST", "api", "/voip/integration", body, secrets=(crm_token,))


def call_notification(crm_token: str, *, phone: str, diversion: str, user: str = "") -> ApiRequest:
    """Build the notification that a client is calling right now; answered with 202. Numbers are in E.164."""
    event = {"command": "event", "crm_token": crm_token, "type": "incoming", "phone": phone, "diversion": diversion}
    return ApiRequest("POST", "api", "/voip/integration", _filled(event | {"user": user}), secrets=(crm_token,))


def phone_call(crm_token: str, record: Mapping[str, Any]) -> ApiRequest:
    """Build the call that saves a phone call in the call history; answered with 202.

    `record` holds the fields of docs/altegio.md §2; empty ones are left out.
    """
    body = {"command": "history", "crm_token": crm_token, **record}
    return ApiRequest("POST", "api", "/voip/integration", _filled(body), secrets=(crm_token,))


def call_list(user_token: str, *, salon_id: int, date_from: str, date_to: str, phone: str, page: int) -> ApiRequest:
    """Build the request for the saved calls of the location's chain with one number.

    Both days (`YYYY-MM-DD`) are inclusive.
    """
    query = {
        "salon_id": salon_id,
        "date_from": date_from,
        "date_to": date_to,
        "phone": phone,
        "page": page,
        "limit": CALL_LIST_PAGE,
    }
    return ApiRequest(
        "GET", "api", "/voip/integration/calls", query=query, secrets=(user_token,), user_token=user_token
    )


def sender_names(salon_id: int, application_id: int, names: Sequence[str]) -> ApiRequest:
    """Build the call with the whole list of sender names, 1 to 20 of them."""
    body = {"salon_id": salon_id, "application_id": application_id, "short_names": list(names)}
    return ApiRequest("POST", "app", "/marketplace/partner/short_names", body)


def update_channel(salon_id: int, application_id: int, channel_slug: str, *, is_available: bool) -> ApiRequest:
    """Build the call that makes `sms` or `whatsapp` available at a location, or unavailable."""
    body = {
        "salon_id": salon_id,
        "application_id": application_id,
        "channel_slug": channel_slug,
        "is_available": is_available,
    }
    return ApiRequest("POST", "app", "/marketplace/application/update_channel", body)


def install_frame(salon_id: int, application_id: int, *, url: str | None) -> ApiRequest:
    """Build the call that sets the page shown as a live connection's chat panel; None removes it."""
    body = {"salon_id": salon_id, "application_id": application_id, "type": "chat", "url": url}
    return ApiRequest("POST", "app", "/marketplace/application/install_frame", body)


ChatSignal = Literal["new_message", "toggle_highlight"]


def chat_signal(
    signal: ChatSignal, salon_id: int, application_id: int, *, phone: str, name: str, message: str
) -> ApiRequest:
    """Build the signal that a client has written, or that their chat is to be highlighted or no longer.

    No record keeps the client's words.
    """
    words = {"phone_from": phone, "message": message, "name": name}
    body = {"salon_id": salon_id, "application_id": application_id, **words}
    path = f"/marketplace/application/{signal}"
    return ApiRequest("POST", "app", path, body, secrets=_as_written(words.values()))


def _as_written(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the texts in each form in which a record may hold them, longest first, so that none hides a part of
    another.
    """
    forms = {form for text in texts for form in (text, _in_json(text, is_ascii=True), _in_json(text, is_ascii=False))}
    return tuple(sorted(forms, key=len, reverse=True))


def _in_json(text: str, *, is_ascii: bool) -> str:
    return json.dumps(text, ensure_ascii=is_ascii)[1:-1]


def message_statuses(host: Host, path: str, statuses: Sequence[Mapping[str, Any]], *, token: str) -> ApiRequest:
    """Build the call that sends SMS statuses to the address that came with the messages.

    The partner token is part of its path.
    """
    return ApiRequest("POST", host, path, list(statuses), secrets=(token,), at_root=True)


def notification_types(user_token: str, salon_id: int) -> ApiRequest:
    """Build the request for the notification types of a location."""
    path = f"/notification_settings/{salon_id}/notification_types"
    return ApiRequest("GET", "api", path, secrets=(user_token,), user_token=user_token)


def notification_settings(user_token: str, salon_id: int, user_id: int) -> ApiRequest:
    """Build the request for the notification settings of a user at a location."""
    path = f"/notification_settings/{salon_id}/users/{user_id}"
    return ApiRequest("GET", "api", path, secrets=(user_token,), user_token=user_token)


def company(user_token: str, location_id: int) -> ApiRequest:
    """Build the request for what Altegio knows of a location: title, address, zone, currency."""
    return ApiRequest("GET", "api", f"/company/{location_id}", secrets=(user_token,), user_token=user_token)


def company_users(user_token: str, location_id: int) -> ApiRequest:
    """Build the request for the people of a location, each with about 270 access flags."""
    path = f"/company_users/{location_id}"
    return ApiRequest("GET", "api", path, secrets=(user_token,), user_token=user_token, hides_answer=True)


def webhook_settings(user_token: str, location_id: int) -> ApiRequest:
    """Build the request for a location's event addresses, of all applications, and for which events it sends."""
    path = f"/hooks_settings/{location_id}"
    return ApiRequest("GET", "api", path, secrets=(user_token,), user_token=user_token, hides_answer=True)


def set_webhook_settings(user_token: str, location_id: int, body: Mapping[str, Any]) -> ApiRequest:
    """Build the call that replaces all of a location's webhook settings; answered with 200 or 201.

    No record shows the addresses, which may be secrets of others.
    """
    return ApiRequest(
        "POST",
        "api",
        f"/hooks_settings/{location_id}",
        dict(body),
        secrets=(user_token, *body["urls"]),
        user_token=user_token,
        hides_answer=True,
    )


def countries() -> ApiRequest:
    """Build a request that every partner may make: it shows whether the API host answers and accepts the token."""
    return ApiRequest("GET", "api", "/countries")


def _filled(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body without its empty optional fields."""
    return {name: value for name, value in body.items() if value not in (None, "")}
