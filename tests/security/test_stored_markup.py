"""Stored text stays text on staff's screens, on owners' pages and in e-mails."""

import re
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from accounts.email_rendering import render
from accounts.frame_tokens import make_frame_token
from accounts.models import OutgoingEmail, User
from billing.csv_export import settlement_values
from billing.models import Payment
from integrations.altegio.answers import Answer, Outcome
from integrations.altegio.tariffs import read_link
from integrations.connect import tokens
from integrations.connections.models import Arrival, ArrivalLocation, Connection
from partner_portal.core.csv_writing import write_lines
from tests.planting import give_calls
from tests.response import Response
from tests.security.poisoned import ADDRESS, MARKUP, Poisoned, dangers

pytestmark = pytest.mark.django_db
# A failed connection shows Altegio's message, a live one the pages of a connected location, and one under review its
# reason.
CONNECTIONS: dict[str, dict[str, Any]] = {
    "failed": {"state": "failed", "review": ""},
    "live": {"state": "active", "review": ""},
    "under review": {"state": "active", "reviewed_at": None},
}


@pytest.fixture(params=[("failed", MARKUP), ("live", ADDRESS), ("under review", MARKUP)], ids=str)
def case(request: pytest.FixtureRequest) -> tuple[str, str]:
    case: tuple[str, str] = request.param
    return case


@pytest.fixture
def text(case: tuple[str, str]) -> str:
    return case[1]


@pytest.fixture
def poisoned(case: tuple[str, str], text: str) -> Poisoned:
    state, _text = case
    kind = "telephony" if state == "failed" else "sms"
    rows = Poisoned(
        text,
        User={"is_staff": False, "is_superuser": False, "is_active": True, "session_epoch": 0, "language": ""},
        Application={"kind": kind, "hold_activations": False, "altegio_id": 1},
        Connection=CONNECTIONS[state],
        Chain={"telephony": "failed"},
        PaymentLink={"url": "https://app.alteg.io/pay"},  # what is none is not taken: see below
        SenderName={"state": "asked"},
        UserToken={"types": [{"title": text}], "user_settings": [{"title": text}]},
    )
    for model in admin.site._registry:
        rows.row(model)
    rows.row(ArrivalLocation)
    Connection.objects.update(claim=f"u:{owner().pk}")
    give_calls()
    return rows


def owner() -> User:
    return User.objects.get(is_staff=False)


def checked(page: Response) -> str:
    assert page.status_code == 200, page
    if page.streaming:
        return ""  # the spreadsheet, below
    html = page.content.decode()
    assert dangers(html) == []
    return html


def test_stored_markup_stays_text_on_staffs_screens(poisoned: Poisoned, staff: Client) -> None:
    """The test opens every list and the page of every row, the connection's with its timeline."""
    reached = 0
    checked(staff.get("/admin/"))
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        checked(staff.get(reverse(f"{name}_changelist")))
        for row in model._default_manager.all()[:3]:
            reached += "xss" in checked(staff.get(reverse(f"{name}_change", args=[row.pk]), follow=True))
    assert reached > 20, "the texts were shown"


def test_stored_markup_stays_text_where_staff_are_asked_whether_to_act(poisoned: Poisoned, staff: Client) -> None:
    for model, room in admin.site._registry.items():
        for action in room.actions or ():
            address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
            chosen = {"action": action, "_selected_action": [str(row.pk) for row in model._default_manager.all()]}
            checked(staff.post(address, chosen, follow=True))


OWNERS = (
    "accounts:home", "accounts:me", "accounts:email", "lifecycle:erase", "billing:subscriptions", "billing:payments",
    "sender_names:list", "telephony:list",
)  # fmt: skip


def test_stored_markup_stays_text_on_the_owners_pages_and_in_the_frame(poisoned: Poisoned, client: Client) -> None:
    client.force_login(owner())
    shown = "".join(checked(client.get(reverse(name))) for name in OWNERS)
    shown += checked(client.get(reverse("lifecycle:disconnect", args=[Connection.objects.get().pk])))
    assert "xss" in shown
    for name in ("accounts:home", "accounts:me"):
        checked(Client().get(f"/connect/as/{make_frame_token(owner())}{reverse(name)}"))


def test_stored_markup_stays_text_on_the_connect_pages(poisoned: Poisoned, client: Client) -> None:
    arrival = Arrival.objects.get()
    checked(client.get(reverse("connect:status", args=[tokens.status_token(arrival)])))
    checked(client.get(reverse("connect:step", args=[tokens.step_token(arrival)])))


def test_text_typed_into_a_search_or_form_comes_back_as_text(poisoned: Poisoned, text: str, client: Client) -> None:
    client.force_login(owner())
    for name in OWNERS:
        checked(client.get(reverse(name), dict.fromkeys(("q", "page", "state", "done", "lang", "next", text), text)))
    for name in ("accounts:me", "accounts:sign-in", "accounts:reset"):
        page = client.post(reverse(name), dict.fromkeys(("name", "phone", "language", "username", "email"), text))
        assert dangers(page.content.decode()) == []


def test_stored_markup_stays_text_in_emails(poisoned: Poisoned, text: str) -> None:
    user, arrival, connection = owner(), Arrival.objects.get(), Connection.objects.get()
    line = dict.fromkeys(("location", "message", "connection", "ends", "text", "amount", "application"), text)
    params = {"user": user.pk, "arrival": arrival.pk, "connection": connection.pk, "state": "x", "lines": [line]}
    for template in ("sign_in_link", "welcome", "disconnected", "erase", "email_confirm", "email_taken",
                     "email_changed", "password_reset", "staff/alerts", "staff/subscriptions"):  # fmt: skip
        message = render(OutgoingEmail(template=template, to="x@owner.example", person=user, params=params))
        assert dangers(str(message.alternatives[0][0])) == [], template


@pytest.mark.parametrize(
    "url", ["javascript:xss()", " javascript:xss()", "data:text/html,x", "//evil.example", "x", 1]
)
def test_an_address_to_pay_at_is_one_that_a_browser_may_open(url: int | str) -> None:
    assert read_link(Answer(outcome=Outcome.ACCEPTED, status_code=200, data={"url": url})) == ""


# --- spreadsheets ---------------------------------------------------------------------------------

FORMULAS = [
    "=1+1",
    "+1",
    "-1+1",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "x;=1+1",
    "x\n=1+1",
    'x;"=1+1',
    "x\t@SUM(1)",
    "x; =1",
    "\uff1d1+1",
]


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_cell_of_the_export_is_a_formula(formula: str) -> None:
    """This holds however a spreadsheet splits lines: with a decimal comma, it splits at the semicolon."""
    rows = Poisoned(formula)
    rows.row(Payment)
    give_calls()
    [line] = write_lines([settlement_values(Payment.objects.get())])
    pieces = re.split(r"[,;\t\r\n]", line)
    assert formula.lstrip("x;\t\r\n\"' ")[1:] in line, "the text is there"
    assert not [piece for piece in pieces if re.match(r"""["\s]*[=+\-@\uff0b\uff0d\uff1d\uff20]""", piece)]
