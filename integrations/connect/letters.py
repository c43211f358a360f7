"""The letters of the arrival: their links are made at the moment of sending."""

from typing import Any

from django.conf import settings
from django.urls import reverse

from accounts.letters import NoReader, letter_builder, reader_of
from integrations.connect.models import Arrival
from integrations.connect.people import may_act
from integrations.connect.tokens import link_token


@letter_builder("welcome")
@letter_builder("sign_in_link")
def with_sign_in_link(params: dict[str, Any]) -> dict[str, Any]:
    """The context of a letter with a link that signs its reader in on an arrival.

    Raises NoReader where the arrival is, or waits for, somebody else.
    """
    user, arrival = reader_of(params), Arrival.objects.filter(pk=params["arrival"]).first()
    if arrival is None or not may_act(arrival, user):
        raise NoReader
    path = reverse("connect:confirm", args=[link_token(arrival.pk, user)])
    return {"link": settings.PORTAL_URL + path, "name": user.name}
