"""E-mail addresses: the check of those that others report to us (Altegio's signed data, the partner's own systems),
and a hash that stands for one.
"""

from django.core.exceptions import ValidationError
from django.forms import EmailField

from partner_portal.core.encryption import lookup_hash


def address_in(text: str) -> str:
    """Return `text` if it is one e-mail address that can be written to, else "", as if none had come.

    A list, a name beside the address, and what only a quoted or numeric form makes valid are not accepted.
    """
    try:
        address: str = EmailField(max_length=254).clean(text)
    except ValidationError:
        return ""
    return "" if address != text or set(text) & set('"[]') else text


def address_hash(email: str) -> str:
    """Return the hash under which an address is stored beside a claim, in capitals the same; "" for none."""
    return lookup_hash(f"visitor:{email.lower()}")[:32] if email else ""
