"""The calls the portal makes, one function each (docs/altegio.md §2). They build; `client` sends."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

Host = Literal["app", "api"]
# No largest page is documented; the sample of the reference holds so many (docs/altegio.md §2, call list).
CALL_LIST_PAGE = 25


@dataclass(frozen=True)
class ApiRequest:
    """An HTTP call to Altegio. `secrets` are values inside it that no record may show.

    `at_root`: the path stands right behind the host's origin, not behind its configured address.
    `user_token`: some calls want an Altegio user's token beside the partner's. `hides_answer`: no record
    keeps what is answered, because it tells of people or holds what is others' secret.
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
    """Activate the integration: 201, also 200."""
    body: dict[str, Any] = {"salon_id": salon_id, "application_id": application_id}
    if api_key:
        body["api_key"] = api_key
    if webhook_urls:
        body["webhook_urls"] = list(webhook_urls)
    body |= extras or {}
    return ApiRequest("POST", "app", "/marketplace/partner/callback", body, secrets=(api_key,) if api_key else ())


def status(salon_id: int, application_id: int, *, secrets: tuple[str, ...] = ()) -> ApiRequest:
    """Ask what Altegio holds true of one connection. `secrets`: what its answer repeats of the activation."""
    path = f"/marketplace/salon/{salon_id}/application/{application_id}"
    return ApiRequest("GET", "app", path, secrets=secrets)


def uninstall(salon_id: int, application_id: int) -> ApiRequest:
    """Disconnect the application at the location: 200."""
    return ApiRequest("POST", "app", f"/marketplace/salon/{salon_id}/application/{application_id}/uninstall")


def connected_locations(application_id: int, *, page: int, count: int = 1000) -> ApiRequest:
    """One page (from 1) of the connected locations, at most 1000 of them."""
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
    """Report a payment. Times are wire times, both ends of the period belong to it; the sum goes out exact."""
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
    """Refund a reported payment by Altegio's id of it."""
    return ApiRequest("POST", "app", f"/marketplace/partner/payment/refund/{payment_id}")


def tariffs(application_id: int) -> ApiRequest:
    """Ask what the owner can buy at Altegio itself. This and the next three may stand under either host."""
    return ApiRequest("GET", "app", f"/marketplace/application/{application_id}/tariffs")


def payment_link(salon_id: int, application_id: int, *, tariff_option_id: int, discount: Decimal) -> ApiRequest:
    """Where the owner pays a tariff option; the discount is in percent."""
    query = {"salon_id": salon_id, "application_id": application_id, "tariff_option_id": tariff_option_id}
    return ApiRequest("GET", "app", "/marketplace/application/payment_link", query=query | _if_any(discount))


def add_discount(salon_ids: Sequence[int], application_id: int, *, discount: Decimal) -> ApiRequest:
    """Set the discount of locations, 0 to 100 percent; decimals are allowed."""
    body = {"salon_ids": list(salon_ids), "application_id": application_id, "discount": discount}
    return ApiRequest("POST", "app", "/marketplace/application/add_discount", body)


def _if_any(discount: Decimal) -> dict[str, Decimal]:
    return {"discount": discount} if discount else {}


def telephony(crm_token: str, *, enable: bool) -> ApiRequest:
    """Switch a chain's telephony on or off: 202."""
    body = {"command": "setup", "crm_token": crm_token, "type": "enable" if enable else "disable"}
    return ApiRequest("POST", "api", "/voip/integration", body, secrets=(crm_token,))


def call_notification(crm_token: str, *, phone: str, diversion: str, user: str = "") -> ApiRequest:
    """A client is calling right now: 202. Numbers in E.164."""
    event = {"command": "event", "crm_token": crm_token, "type": "incoming", "phone": phone, "diversion": diversion}
    return ApiRequest("POST", "api", "/voip/integration", _filled(event | {"user": user}), secrets=(crm_token,))


def phone_call(crm_token: str, record: Mapping[str, Any]) -> ApiRequest:
    """A call for the call history: 202. `record` holds the fields of docs/altegio.md §2, empty ones left out."""
    body = {"command": "history", "crm_token": crm_token, **record}
    return ApiRequest("POST", "api", "/voip/integration", _filled(body), secrets=(crm_token,))


def call_list(user_token: str, *, salon_id: int, date_from: str, date_to: str, phone: str, page: int) -> ApiRequest:
    """The saved calls of the location's chain between two days (`YYYY-MM-DD`, inclusive), with one number."""
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
    """The whole list of sender names, 1 to 20 of them."""
    body = {"salon_id": salon_id, "application_id": application_id, "short_names": list(names)}
    return ApiRequest("POST", "app", "/marketplace/partner/short_names", body)


def update_channel(salon_id: int, application_id: int, channel_slug: str, *, is_available: bool) -> ApiRequest:
    """Offer `sms` or `whatsapp` at a location, or no longer."""
    body = {
        "salon_id": salon_id,
        "application_id": application_id,
        "channel_slug": channel_slug,
        "is_available": is_available,
    }
    return ApiRequest("POST", "app", "/marketplace/application/update_channel", body)


def install_frame(salon_id: int, application_id: int, *, url: str | None) -> ApiRequest:
    """The page that a live connection shows as its chat panel; None removes it."""
    body = {"salon_id": salon_id, "application_id": application_id, "type": "chat", "url": url}
    return ApiRequest("POST", "app", "/marketplace/application/install_frame", body)


ChatSignal = Literal["new_message", "toggle_highlight"]


def chat_signal(
    signal: ChatSignal, salon_id: int, application_id: int, *, phone: str, name: str, message: str
) -> ApiRequest:
    """A client wrote something, or their chat is to stand out or no longer. Their words are kept in no record."""
    words = {"phone_from": phone, "message": message, "name": name}
    body = {"salon_id": salon_id, "application_id": application_id, **words}
    path = f"/marketplace/application/{signal}"
    return ApiRequest("POST", "app", path, body, secrets=_as_written(words.values()))


def _as_written(texts: Iterable[str]) -> tuple[str, ...]:
    """Texts in each form in which they may stand in a record; the longest first, so that none hides a part of one."""
    forms = {form for text in texts for form in (text, _in_json(text, is_ascii=True), _in_json(text, is_ascii=False))}
    return tuple(sorted(forms, key=len, reverse=True))


def _in_json(text: str, *, is_ascii: bool) -> str:
    return json.dumps(text, ensure_ascii=is_ascii)[1:-1]


def message_statuses(host: Host, path: str, statuses: Sequence[Mapping[str, Any]], *, token: str) -> ApiRequest:
    """SMS statuses for the address that came with the messages; the partner token stands in its path."""
    return ApiRequest("POST", host, path, list(statuses), secrets=(token,), at_root=True)


def notification_types(user_token: str, salon_id: int) -> ApiRequest:
    """The notification types of a location."""
    path = f"/notification_settings/{salon_id}/notification_types"
    return ApiRequest("GET", "api", path, secrets=(user_token,), user_token=user_token)


def notification_settings(user_token: str, salon_id: int, user_id: int) -> ApiRequest:
    """The notification settings of a user at a location."""
    path = f"/notification_settings/{salon_id}/users/{user_id}"
    return ApiRequest("GET", "api", path, secrets=(user_token,), user_token=user_token)


def company(user_token: str, location_id: int) -> ApiRequest:
    """Ask what Altegio knows of a location: title, address, zone, currency."""
    return ApiRequest("GET", "api", f"/company/{location_id}", secrets=(user_token,), user_token=user_token)


def company_users(user_token: str, location_id: int) -> ApiRequest:
    """The people of a location, each with about 270 flags of access."""
    path = f"/company_users/{location_id}"
    return ApiRequest("GET", "api", path, secrets=(user_token,), user_token=user_token, hides_answer=True)


def webhook_settings(user_token: str, location_id: int) -> ApiRequest:
    """A location's event addresses, those of all applications, and which events it sends."""
    path = f"/hooks_settings/{location_id}"
    return ApiRequest("GET", "api", path, secrets=(user_token,), user_token=user_token, hides_answer=True)


def set_webhook_settings(user_token: str, location_id: int, body: Mapping[str, Any]) -> ApiRequest:
    """Replace them all: 200 or 201. No record shows the addresses, which may be others' secrets."""
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
    """A dictionary that every partner may read: whether the API host answers and takes the token."""
    return ApiRequest("GET", "api", "/countries")


def _filled(body: Mapping[str, Any]) -> dict[str, Any]:
    """Without the optional fields that hold nothing."""
    return {name: value for name, value in body.items() if value not in (None, "")}
