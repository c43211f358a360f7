"""Steps that a member of staff takes with a second factor."""

import base64
import re
from datetime import timedelta
from urllib.parse import urlsplit

import time_machine
from django.core import mail
from django.test import Client
from django.utils import timezone
from django_otp.oath import TOTP

from accounts.emails import send_waiting_emails
from accounts.models import Authenticator, User
from accounts.two_factor.setup import send_link

PAGE = "/admin/two-factor/"
PASSWORD = "correct horse"


def sign_in(user: User, password: str = PASSWORD) -> Client:
    client = Client()
    client.post("/admin/login/?next=/admin/", {"username": user.email, "password": password})
    return client


def link_in_email() -> str:
    """Return the path of the newest set-up link in the e-mails."""
    send_waiting_emails()
    links = [
        each[0]
        for outgoing_email in mail.outbox
        if (each := re.search(r"\S+/two-factor/link/\S+", str(outgoing_email.body)))
    ]
    return urlsplit(links[-1]).path


def key_on(page: str) -> str:
    """Return the key that the set-up page shows, or "" if it shows none."""
    found = re.search(r"<code>([A-Z2-7]{32})</code>", page)
    return found[1] if found else ""


def code_of(key: str) -> str:
    return f"{TOTP(base64.b32decode(key)).token():06d}"


def present_code(user: User) -> str:
    return code_of(Authenticator.objects.get(user=user).key)


def codes_on(page: str) -> list[str]:
    """Return the backup codes that a page shows."""
    return re.findall(r"<li><code>([1-8](?:-[a-z2-7]{4}){4})</code>", page)


def show_key(client: Client) -> str:
    return key_on(client.get(PAGE).content.decode())


def type_code(client: Client, code: str) -> str:
    return client.post(PAGE, {"code": code}, follow=True).content.decode()


def set_up(user: User) -> tuple[Client, list[str]]:
    """Set up a phone by a link; return the browser, now signed in with both factors, and the backup codes."""
    send_link(user)
    client = sign_in(user)
    client.get(link_in_email())
    return client, codes_on(type_code(client, code_of(show_key(client))))


def enters(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def enters_with(client: Client, code: str) -> bool:
    client.post(PAGE, {"code": code})
    return enters(client)


def later(seconds: int) -> time_machine.travel:
    """Move on to the next code, or past the end of a pause."""
    return time_machine.travel(timezone.now() + timedelta(seconds=seconds), tick=True)
