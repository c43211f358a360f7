"""The actors of the tests: Emma and Maria own locations, and arrive from Altegio."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from accounts.emails import send_waiting_emails
from accounts.models import User
from accounts.notifications import send_digests
from sandbox import Sandbox
from tests.response import Response

EMMA, MARIA = 9001, 9002
EMMAS_EMAIL = "emma@aurora.example"
AURORA_1, AURORA_2, MEDVED_1 = 10101, 10102, 10201
AURORA_CHAIN = 501
TELEPHONY = 2


def proven_owner(email: str, password: str | None = None, **fields: Any) -> User:
    """Make an owner who has opened an e-mail at their address; the password opens the account."""
    return User.objects.create_user(email, password, email_proven_at=timezone.now(), **fields)


def arrive(
    client: Client,
    altegio: Sandbox,
    locations: int | Sequence[int],
    user_id: int | None = EMMA,
    application_id: int = 1,
) -> Response:
    """Press Connect at Altegio, and follow the redirect to the portal."""
    altegio.grant(locations, application_id=application_id, user_id=user_id)
    return follow(client, altegio, locations, user_id, application_id)


def follow(
    client: Client,
    altegio: Sandbox,
    locations: int | Sequence[int],
    user_id: int | None = EMMA,
    application_id: int = 1,
) -> Response:
    """Follow a redirect without a grant, such as an old, copied or made-up link."""
    url = altegio.arrival_url(locations, application_id=application_id, user_id=user_id)
    return client.get(url[url.index("/connect/") :])


def status(client: Client, answer: Response) -> dict[str, Any]:
    """Return the status page behind a redirect, as JSON."""
    page: dict[str, Any] = client.get(answer["Location"], headers={"Accept": "application/json"}).json()
    return page


def emails_go_out() -> None:
    """Do what beat does as the hours pass: send owners their digests."""
    send_digests(timezone.now() + timedelta(hours=2))
    send_waiting_emails()
