"""Contexts of the arrival's e-mails; their links are made when an e-mail is sent."""

from typing import Any

from django.conf import settings
from django.urls import reverse

from accounts.email_rendering import EMAIL_CONTEXTS
from accounts.emails import NoRecipientError, reader_of
from integrations.connect.registration import opens_to_reader, user_to_be_linked
from integrations.connect.tokens import link_token
from integrations.connections.brand import brand_of
from integrations.connections.models import Arrival


@EMAIL_CONTEXTS.add("welcome")
@EMAIL_CONTEXTS.add("sign_in_link")
def with_sign_in_link(params: dict[str, Any]) -> dict[str, Any]:
    """Return the context of an e-mail with a link that signs its reader in on an arrival.

    Raises NoRecipientError if the arrival is, or waits for, somebody else's.
    """
    user, arrival = reader_of(params), _arrival(params["arrival"])
    if arrival is None or not opens_to_reader(arrival, user):
        raise NoRecipientError
    path = reverse("connect:confirm", args=[link_token(arrival.pk, user)])
    return {
        "link": settings.PORTAL_URL + path,
        "name": user.name,
        "brand": brand_of(arrival.application),
        "altegio_user": user_to_be_linked(arrival, user),
    }


def _arrival(pk: int) -> Arrival | None:
    return Arrival.objects.select_related("application").filter(pk=pk).first()
