"""A name cannot write an e-mail header, and nobody's mailbox is filled."""

import pytest
from django.core import mail
from django.test import Client

from accounts.email_rendering import render
from accounts.emails import send_waiting_emails
from accounts.models import OutgoingEmail, User
from integrations.connections.models import Connection, Location
from sandbox import Sandbox
from tests.marketplace import AURORA_1, arrive
from tests.owner_forms import SIGN_UP, form_action

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("break_", ["\r\n", "\n", "\r", "\u2028", "\x0b", "\x85"])
def test_a_title_with_line_breaks_writes_no_header(connections: list[Connection], break_: str) -> None:
    title = f"Aurora{break_}Bcc: everybody@example.com{break_}{break_}Buy!"
    Location.objects.update(title=title)
    payload = {"connection": connections[0].pk}
    message = render(OutgoingEmail(template="disconnected", to="emma@owner.example", params=payload))
    assert message.message()["Bcc"] is None
    assert message.subject == "Aurora Bcc: everybody@example. com Buy! is disconnected"


def test_signing_up_again_and_again_fills_nobodys_mailbox(altegio: Sandbox) -> None:
    """Anybody who knows an address could have an e-mail sent to it with every arrival."""
    User.objects.create_user(SIGN_UP["email"], "correct horse battery")
    for _number in range(8):
        page = arrive(Client(), altegio, AURORA_1, user_id=None)
        assert Client().post(form_action(page, "sign-up"), SIGN_UP).status_code == 303
    send_waiting_emails()
    assert len(mail.outbox) == 4
