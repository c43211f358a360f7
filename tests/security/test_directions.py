"""A right-to-left name reverses nothing around it on staff's screens, owners' pages and in e-mails."""

from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from accounts.email_rendering import render
from accounts.models import OutgoingEmail, User
from integrations.connections.models import Chain, Connection, Location
from integrations.sender_names.models import SenderName
from partner_portal.core.bidi import embedded
from tests.planting import give_calls
from tests.security.poisoned import Poisoned

pytestmark = pytest.mark.django_db
OVERRIDE = "\u202e"
# Their text is not in the page's lines: boxes, titles, what the browser draws by itself.
OWN_CONTEXT = {"bdi", "textarea", "title", "option", "script", "style"}
EMPTY = {"br", "img", "input", "link", "meta", "hr", "col", "rect", "path", "circle", "use", "line"}


class Exposed(HTMLParser):
    """A parser that finds texts with an override outside an element with its own direction."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, bool]] = []
        self.found: list[str] = []
        self.shown = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in EMPTY:
            self.open.append((tag, tag in OWN_CONTEXT or dict(attrs).get("dir") == "auto"))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if OVERRIDE in data:
            self.shown += 1
            if not any(isolated for _tag, isolated in self.open):
                self.found.append(f"{self.open[-1][0]}: {data.strip()[:80]!r}")


def exposed(html: str) -> Exposed:
    reader = Exposed()
    reader.feed(html)
    return reader


@pytest.fixture
def reversed_names() -> Poisoned:
    rows = Poisoned(
        f"Aurora {OVERRIDE}moc.live",
        User={
            "is_staff": False,
            "is_superuser": False,
            "is_active": True,
            "session_epoch": 0,
            "email": "o@owner.example",
            "pending_email": None,
        },
        Application={"kind": "sms", "hold_activations": False, "altegio_id": 1},
        Connection={"state": "active", "review": ""},
        Group={"name": "Interns"},
        PaymentLink={"url": "https://app.alteg.io/pay"},
    )
    for model in admin.site._registry:
        rows.row(model)
    give_calls()
    return rows


def test_a_reversing_name_turns_nothing_on_staffs_screens(reversed_names: Poisoned, client: Client) -> None:
    client.force_login(User.objects.create_superuser("staff@partner.example", "correct horse battery"))
    shown, found = 0, set()
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        rows = model._default_manager.all()[:2]
        pages = [f"{reverse(f'{name}_changelist')}", *(reverse(f"{name}_change", args=[row.pk]) for row in rows)]
        for page in ("/admin/", *pages):
            reader = exposed(client.get(page, follow=True).content.decode())
            found |= {(page, text) for text in reader.found}
            shown += reader.shown
    assert found == set()
    assert shown > 20


def test_a_reversing_name_turns_nothing_on_the_owners_pages(reversed_names: Poisoned, client: Client) -> None:
    owner = User.objects.get(is_staff=False)
    client.force_login(owner)
    connection = Connection.objects.get()
    pages = [
        *map(
            reverse,
            ("accounts:home", "accounts:me", "billing:subscriptions", "billing:payments", "sender_names:list"),
        ),
        reverse("lifecycle:disconnect", args=[connection.pk]),
    ]
    assert [(page, found) for page in pages if (found := exposed(client.get(page).content.decode()).found)] == []


def test_a_reversing_name_turns_nothing_in_an_email(reversed_names: Poisoned) -> None:
    connection = Connection.objects.get()
    for template in ("connected", "frozen", "not_connected"):
        params = {"subjects": [connection.pk], "more": 0}
        message = render(OutgoingEmail(template=template, to="x@owner.example", params=params))
        assert exposed(str(message.alternatives[0][0])).found == []
        assert OVERRIDE not in message.subject


@pytest.mark.parametrize("model", [Location, Chain, SenderName, Connection, User])
def test_the_name_of_a_row_may_stand_in_a_sentence(reversed_names: Poisoned, model: Any) -> None:
    assert OVERRIDE not in str(model._default_manager.first())


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Aurora", "Aurora"),
        ("\u202eevil", "evil"),
        ("\u2066open", "open"),
        ("closed\u2069\u2069", "closed"),
        ("סלון", "\u2068סלון\u2069"),
        ("\u202bصالون\u2069", "\u2068صالون\u2069"),
        ("", ""),
    ],
)
def test_a_name_inside_a_text_is_closed_in_itself(name: str, safe: str) -> None:
    assert embedded(name) == safe
