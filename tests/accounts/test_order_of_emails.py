"""E-mails to staff and to known people go out soon, however many e-mails strangers cause, and theirs in turn."""

import pytest
from django.core import mail
from django.test import Client

from accounts.emails import queue_email, request_email, send_waiting_emails
from accounts.models import AltegioIdentity, User
from tests.marketplace import proven_owner

pytestmark = pytest.mark.django_db
STRANGERS = 30


@pytest.fixture
def strangers() -> None:
    """Many people sign up with addresses that they made up."""
    for number in range(STRANGERS):
        made_up = User.objects.create_user(f"{number}@made-up.example")
        queue_email("email_taken", made_up, key=f"news-{number}")
        request_email("password_reset", f"{number}@made-up.example", asked_by="a network")


def first_to_go(count: int) -> list[str]:
    send_waiting_emails()
    return [message.to[0] for message in mail.outbox[:count]]


def test_emails_to_staff_and_known_owners_go_before_those_to_made_up_addresses(strangers: None) -> None:
    boss = User.objects.create_superuser("boss@partner.example", "pass")
    queue_email("staff/alerts", boss, key="alert", lines=[], more=0, list_url="")
    proven_owner("anna@owner.example")
    Client().post("/account/reset/", {"email": "Anna@owner.example"})
    AltegioIdentity.objects.create(user=User.objects.create_user("emma@owner.example"), altegio_user_id=1)
    Client().post("/account/reset/", {"email": "emma@owner.example"})
    assert {"boss@partner.example", "anna@owner.example", "emma@owner.example"} <= set(first_to_go(4))
    assert len(mail.outbox) == 2 * STRANGERS + 3, "and all the others after them"


def test_made_up_addresses_keep_a_share_while_other_emails_are_many() -> None:
    for number in range(20):
        owner = proven_owner(f"{number}@owner.example")
        request_email("password_reset", str(owner.email), asked_by="a network")
    User.objects.create_user("late@made-up.example")
    request_email("password_reset", "late@made-up.example", asked_by="a network")
    assert "late@made-up.example" in first_to_go(4)
