"""Signed user data and signed payments (docs/altegio.md §1 and §4)."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

from partner_portal.core.clean import InvalidJsonError, clean_text, parse_unclean, read_number, utf8

MAX_USER_DATA_BYTES = 8 * 1024
_MAX_DIGITS = 18


class InvalidUserDataError(ValueError):
    """Raised when user data is not what Altegio signs; `str()` says in which way, without repeating the data."""


@dataclass(frozen=True)
class Person:
    """The person who arrives, as Altegio signed it. `phone` holds digits, `email` any text; missing values are ""."""

    altegio_user_id: int
    name: str
    phone: str
    email: str
    salon_name: str


def hmac_hex(key: str, message: bytes) -> str:
    """Return the HMAC-SHA256 in lower-case hex."""
    return hmac.new(key.encode(), message, hashlib.sha256).hexdigest()


def is_signed(key: str, message: bytes, signature: str) -> bool:
    """Return whether `signature` is the message's, compared in constant time. An empty key signs nothing."""
    return bool(key) and hmac.compare_digest(hmac_hex(key, message).encode(), signature.encode("utf-8", "replace"))


def decode_base64(text: str) -> bytes:
    """Return the bytes of url-safe or ordinary base64, whose `+` may have become a space, padded or not.

    Raises InvalidUserDataError if the text is neither.
    """
    plain = text.strip("\r\n").replace(" ", "+").replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidUserDataError("The user data is not base64.") from None


def person_from(user_data: str, signature: str, partner_token: str) -> Person:
    """Return the person whom Altegio signed; the signature is checked on the bytes as received.

    Raises InvalidUserDataError if the user data is oversized, forged or broken.
    """
    if len(user_data) > MAX_USER_DATA_BYTES:
        raise InvalidUserDataError("The user data is larger than 8 KiB.")
    raw = decode_base64(user_data)
    if not is_signed(partner_token, raw, signature):
        raise InvalidUserDataError("The signature does not fit the user data.")
    try:
        data = parse_unclean(utf8(raw))
    except InvalidJsonError:
        raise InvalidUserDataError("The user data is not JSON.") from None
    if not isinstance(data, dict):
        raise InvalidUserDataError("The user data is not a JSON object.")
    return Person(
        altegio_user_id=_user_id(data),
        name=_text(data, "name", 200),
        phone="".join(char for char in _text(data, "phone", 32) if char in "0123456789"),
        email=_whole(data, "email"),
        salon_name=_text(data, "salon_name", 300),
    )


def is_payment_signed(
    partner_token: str, *, salon_id: object, amount: object, discount: object, signature: str
) -> bool:
    """Return whether a `payment` callback's `sign` is Altegio's (docs/altegio.md §4).

    Each number counts both as the text that came and as PHP and JavaScript print it: `990.00` is signed as `990`.
    """
    messages = {
        f"salon_id={salon_id}&amount={amount_text}" + ("" if discount is None else f"&discount={discount_text}")
        for amount_text in (amount, _printed(amount))
        for discount_text in (discount, _printed(discount))
    }
    return any(is_signed(partner_token, each.encode("utf-8", "replace"), signature) for each in messages)


def _printed(number: object) -> object:
    """Return a number's text as PHP and JavaScript print it: the shortest that is read as the same double."""
    found = read_number(number) if isinstance(number, str) else None
    if found is None:
        return number
    value = float(found)
    return str(int(value)) if value.is_integer() else repr(value)


def _user_id(data: dict[str, Any]) -> int:
    value = data.get("user_id") if data.get("id") is None else data["id"]
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS and int(text)):
        raise InvalidUserDataError("The user data holds no user id.")
    return int(text)


def _whole(data: dict[str, Any], name: str) -> str:
    """Return a text exactly as it was signed, or "": if cut or cleaned, an address would become somebody else's."""
    value = data.get(name)
    return value.strip(" ") if isinstance(value, str) and clean_text(value) == value else ""


def _text(data: dict[str, Any], name: str, most: int) -> str:
    value = data.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return ""
    return clean_text(value).strip()[:most]
