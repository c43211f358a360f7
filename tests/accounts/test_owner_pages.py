"""The owner's pages need a sign-in and lead staff and owners to their own."""

import re

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries

from accounts.emails import send_waiting_emails
from accounts.models import User
from sandbox import Sandbox
from tests.marketplace import AURORA_1, AURORA_2, arrive
from tests.not_none import not_none
from tests.working import Work

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


def test_the_page_needs_a_sign_in(client: Client) -> None:
    assert client.get("/account/")["Location"].startswith("/account/sign-in/")


def test_an_owner_sees_their_locations_in_a_constant_number_of_queries(
    client: Client, altegio: Sandbox, work: Work, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    arrive(client, altegio, [AURORA_1, AURORA_2])
    work()
    client.force_login(User.objects.get())
    with django_assert_max_num_queries(10):
        page = client.get("/account/").content.decode()
    assert "Aurora Covent Garden" in page
    assert "Aurora Ancoats" in page


def test_staff_have_their_own_sign_in(client: Client) -> None:
    User.objects.create_superuser("staff@example.com", PASSWORD)
    answer = client.post("/account/sign-in/", {"username": "staff@example.com", "password": PASSWORD})
    assert answer.status_code == 200
    assert "_auth_user_id" not in client.session


def test_an_owner_without_a_password_chooses_one_by_email(client: Client) -> None:
    User.objects.create_user("emma@aurora.example")
    client.post("/account/reset/", {"email": "Emma@aurora.example"})
    send_waiting_emails()
    link = not_none(re.search(r"http://localhost:8000(/account/reset/\S+)", str(mail.outbox[0].body))).group(1)
    form = client.get(link, follow=True)
    assert "<bdi>emma@aurora.example</bdi>" in form.content.decode()
    passwords = {"new_password1": PASSWORD, "new_password2": PASSWORD}
    saved = client.post(form.redirect_chain[-1][0], passwords, follow=True)
    assert "Your new password is saved. Sign in with it." in saved.content.decode()

    answer = client.post("/account/sign-in/", {"username": "EMMA@aurora.example", "password": PASSWORD})
    assert answer["Location"] == "/account/"


def test_the_reset_says_whose_account_it_is(client: Client) -> None:
    """The reader may have several accounts, with several partners."""
    User.objects.create_user("emma@aurora.example", name="Emma Whitfield")
    client.post("/account/reset/", {"email": "Emma@aurora.example"})
    send_waiting_emails()
    message = mail.outbox[0]
    assert isinstance(message, EmailMultiAlternatives)
    for text in (str(message.body), str(message.alternatives[0][0])):
        assert "for the account emma@aurora.example with Partner portal." in text


def test_the_reset_page_answers_every_address_alike(client: Client) -> None:
    User.objects.create_user("emma@aurora.example")
    User.objects.create_superuser("staff@example.com", PASSWORD)
    for email in ("emma@aurora.example", "nobody@example.com", "staff@example.com"):
        assert client.post("/account/reset/", {"email": email})["Location"] == "/account/reset/sent/"
    send_waiting_emails()
    assert [message.to for message in mail.outbox] == [["emma@aurora.example"]]


def test_an_email_is_sent_once_and_again_only_after_a_failure(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    User.objects.create_user("emma@aurora.example")
    client.post("/account/reset/", {"email": "emma@aurora.example"})
    assert [send_waiting_emails(), send_waiting_emails()] == [1, 0]
