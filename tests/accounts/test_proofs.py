"""An address is proven by the link in a letter to it, and by nothing else."""

import pytest
from django.core import mail
from django.test import Client

from accounts.letters import send_waiting_letters
from accounts.models import User
from accounts.proofs import has_proven_address
from tests.integrations.connect.test_unsigned_arrival import SIGN_UP, form_action
from tests.marketplace import AURORA_1, EMMA, arrive

pytestmark = pytest.mark.django_db


def link_in_letter() -> str:
    """The path of the link in the newest letter."""
    send_waiting_letters()
    link = next(word for word in mail.outbox[-1].body.split() if word.startswith("http://localhost:8000/"))
    return link.removeprefix("http://localhost:8000")


def test_signing_up_proves_nothing_and_the_letter_does(altegio):
    page = arrive(Client(), altegio, AURORA_1, user_id=None)
    Client().post(form_action(page, "sign-up"), SIGN_UP)
    assert not has_proven_address(User.objects.get())
    link = link_in_letter()
    Client().get(link)
    assert not has_proven_address(User.objects.get()), "a mail scanner's visit"
    Client().post(link)
    assert has_proven_address(User.objects.get())


def test_altegios_signature_proves_no_address(altegio):
    arrive(Client(), altegio, AURORA_1, EMMA)
    assert not has_proven_address(User.objects.get())


def test_a_new_password_by_letter_proves_the_address():
    User.objects.create_user("anna@owner.example")
    Client().post("/account/reset/", {"email": "anna@owner.example"})
    browser = Client()
    form = browser.get(link_in_letter(), follow=True)
    browser.post(form.redirect_chain[-1][0], {"new_password1": "fresh-pass-42", "new_password2": "fresh-pass-42"})
    assert has_proven_address(User.objects.get())
