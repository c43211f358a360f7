"""An address is proven by the link in an e-mail to it, and by nothing else."""

import base64
import json
import re
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.emails import send_waiting_emails
from accounts.models import OutgoingEmail, User
from accounts.proofs import has_proven_address
from accounts.sign_in import is_own_password
from integrations.altegio.signatures import hmac_hex
from sandbox import Sandbox
from tests.marketplace import AURORA_1, AURORA_2, EMMA, arrive, proven_owner
from tests.owner_forms import SIGN_UP, form_action

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


def link_in_email() -> str:
    """Return the path of the link in the newest e-mail."""
    send_waiting_emails()
    link = next(word for word in mail.outbox[-1].body.split() if word.startswith("http://localhost:8000/"))
    return link.removeprefix("http://localhost:8000")


def test_signing_up_proves_nothing_and_the_email_does(altegio: Sandbox) -> None:
    page = arrive(Client(), altegio, AURORA_1, user_id=None)
    Client().post(form_action(page, "sign-up"), SIGN_UP)
    assert not has_proven_address(User.objects.get())
    link = link_in_email()
    Client().get(link)
    assert not has_proven_address(User.objects.get()), "a mail scanner's visit"
    Client().post(link)
    assert has_proven_address(User.objects.get())


def test_altegios_signature_proves_no_address(altegio: Sandbox) -> None:
    arrive(Client(), altegio, AURORA_1, EMMA)
    assert not has_proven_address(User.objects.get())


def test_a_new_password_by_email_proves_the_address() -> None:
    User.objects.create_user("anna@owner.example")
    Client().post("/account/reset/", {"email": "anna@owner.example"})
    browser = Client()
    form = browser.get(link_in_email(), follow=True)
    browser.post(form.redirect_chain[-1][0], {"new_password1": "fresh-pass-42", "new_password2": "fresh-pass-42"})
    assert has_proven_address(User.objects.get())


# --- what a signed address must be ----------------------------------------------------------------


@pytest.mark.parametrize(
    "signed",
    [
        "anna@owner.example, mallory@evil.example",
        "Anna <anna@owner.example>",
        "anna@owner.example\nBcc: mallory@evil.example",
        "anna@owner.example\n",
        "anna\ud800@owner.example",
        "\u202eanna@owner.example",
        '"anna@owner.example"@evil.example',
        "anna@[192.0.2.1]",
        f"{'a' * 60}@{'b' * 60}.{'c' * 60}.{'d' * 60}.owner.example",
        ["anna@owner.example"],
    ],
)
def test_anything_but_a_single_address_counts_as_none(client: Client, altegio: Sandbox, signed: Any) -> None:
    User.objects.create_user("anna@owner.example")
    data = json.dumps({"id": EMMA, "name": "Anna", "email": signed}).encode()
    query = urlencode(
        {
            "salon_id": AURORA_1,
            "user_data": base64.b64encode(data).decode(),
            "user_data_sign": hmac_hex("partner-token-of-the-tests", data),
        }
    )
    assert client.get(f"/connect/?{query}").status_code == 303
    assert User.objects.get(identities__altegio_user_id=EMMA).email is None


# --- one answer and one time ----------------------------------------------------------------------


def queries_of(path: str, form: dict[str, str]) -> list[str]:
    """Return the queries that are made for the answer, without their values."""
    with CaptureQueriesContext(connection) as asked:
        Client().post(path, form)
    return [re.sub(r"'[^']*'|\d+", "?", each["sql"]) for each in asked]


def test_a_reset_asks_the_database_the_same_whether_the_address_has_an_account() -> None:
    User.objects.create_user("anna@owner.example")
    known, unknown = (
        queries_of("/account/reset/", {"email": email}) for email in ("anna@owner.example", "nobody@owner.example")
    )
    assert known == unknown


def test_a_sign_up_asks_the_database_the_same_whether_the_address_has_an_account(altegio: Sandbox) -> None:
    proven_owner("anna@owner.example", PASSWORD)
    asked = []
    for email, location in (("anna@owner.example", AURORA_1), ("newer@owner.example", AURORA_2)):
        page = arrive(Client(), altegio, location, user_id=None)
        asked.append(queries_of(form_action(page, "sign-up"), SIGN_UP | {"email": email}))
    assert [each[:40] for each in asked[0]] == [each[:40] for each in asked[1]]


def test_a_reset_for_an_unknown_address_stores_nothing() -> None:
    Client().post("/account/reset/", {"email": "nobody@owner.example"})
    assert send_waiting_emails() == 0
    assert not OutgoingEmail.objects.exists()


def test_a_name_typed_at_the_sign_in_closes_nobodys_password_question() -> None:
    anna = User.objects.create_user("anna@owner.example", PASSWORD)
    for _ in range(11):
        Client().post("/account/sign-in/", {"username": f"own:{anna.pk}", "password": "wrong"})
        Client().post("/account/sign-in/", {"username": str(anna.pk), "password": "wrong"})
    assert is_own_password(anna, PASSWORD)


def test_resets_are_limited_for_each_caller() -> None:
    answers = [Client().post("/account/reset/", {"email": f"{n}@owner.example"}).status_code for n in range(61)]
    assert answers[-1] == 429
    assert set(answers[:-1]) == {302}
