"""The letters of the arrival: their links are made at the moment of sending."""

from typing import Any

from django.conf import settings
from django.urls import reverse

from accounts.letters import letter_builder, reader_of
from integrations.connect.tokens import link_token


@letter_builder("welcome")
@letter_builder("sign_in_link")
def with_sign_in_link(params: dict[str, Any]) -> dict[str, Any]:
    """The context of a letter with a link that signs its reader in on an arrival."""
    user = reader_of(params)
    path = reverse("connect:confirm", args=[link_token(params["arrival"], user)])
    return {"link": settings.PORTAL_URL + path, "name": user.name}
