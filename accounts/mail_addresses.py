"""E-mail addresses that others tell us: Altegio's signature, the partner's own systems."""

from django.core.exceptions import ValidationError
from django.forms import EmailField


def address_in(text: str) -> str:
    """The e-mail where it is one address that can be written to, else "": as if none had come.

    Neither a list, nor a name beside it, nor what only a quoted or numeric form makes valid.
    """
    try:
        address: str = EmailField(max_length=254).clean(text)
    except ValidationError:
        return ""
    return "" if address != text or set(text) & set('"[]') else text
