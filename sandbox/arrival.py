"""The browser's way to the portal: the registration redirect with its parameters (docs/altegio.md §1)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from urllib.parse import urlencode

from sandbox.models import Chain, Location, User

Pairs = list[tuple[str, str]]


def sign(payload: bytes, partner_token: str) -> str:
    """Return the lower-case hex HMAC-SHA256 of the payload, keyed with the partner token."""
    return hmac.new(partner_token.encode(), payload, hashlib.sha256).hexdigest()


def person_json(user: User, location: Location, avatar: str) -> bytes:
    """Return the personal data as JSON, in the form of the live samples."""
    person = {
        "id": user.id,
        "name": user.name,
        "phone": user.phone,
        "email": user.email,
        "is_approved": True,
        "avatar": avatar,
        "salon_name": location.title,
    }
    return json.dumps(person, ensure_ascii=False, separators=(",", ":")).encode()


def person_pairs(payload: bytes, partner_token: str) -> Pairs:
    """Return `user_data` in the url-safe Base64 alphabet, and its signature over the JSON bytes."""
    encoded = base64.urlsafe_b64encode(payload).decode()
    return [("user_data", encoded), ("user_data_sign", sign(payload, partner_token))]


def location_pairs(location_ids: Sequence[int], form: str = "brackets") -> Pairs:
    """Return `salon_id` for one location, or several locations in one of the three forms."""
    ids = [str(item) for item in location_ids]
    if len(ids) == 1:
        return [("salon_id", ids[0])]
    if form == "comma":
        return [("salon_ids", ",".join(ids))]
    if form == "indexed":
        return [(f"salon_ids[{index}]", item) for index, item in enumerate(ids)]
    return [("salon_ids[]", item) for item in ids]


def chain_pairs(chain: Chain | None) -> Pairs:
    """Return the parameters that tell a telephony application about the chain."""
    if chain is None:
        return []
    return [("salon_group_id", str(chain.id)), ("crm_token", chain.crm_token)]


def connect_address(portal_url: str, application_id: int, default_application_id: int, pairs: Pairs) -> str:
    """Return the address of `/connect/` for the default application, of `/connect/<id>/` for any other."""
    path = "/connect/" if application_id == default_application_id else f"/connect/{application_id}/"
    return f"{portal_url.rstrip('/')}{path}?{urlencode(pairs)}"
