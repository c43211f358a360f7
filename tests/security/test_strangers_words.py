"""No e-mail repeats a stranger's text as a link or header, or fails because of it."""

import html
import re

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives

from accounts.email_rendering import render
from accounts.emails import queue_email, send_waiting_emails
from accounts.models import OutgoingEmail, User
from accounts.untrusted_text import harmless
from billing.models import Payment
from integrations.connections.models import Application, Connection, Location
from partner_portal.core.catalogs import ROOT
from tests.i18n.gallery import Gallery
from tests.i18n.owners_emails import emails_about
from tests.i18n.owners_pages import OwnersPages

pytestmark = pytest.mark.django_db

WORDS = {
    "https": "Prize: https://evil.example/x?y=1",
    "a scheme alone": "tel:+380671234567 javascript:xss() HTTP://EVIL",
    "a host": "Aurora www.evil.example",
    "a mailbox": "write to x@evil.example",
    "numbers": "http://198.51.100.9/ or 198.51.100.9",
    "other dots": "evil\uff0eexample evil\u3002example evil\u2024example evil\uff61example evil\ufe52example",
    "hidden dots": "evil\u200b.\u200bexample evil\u2060.example evil\xad.example",
    "letters of others": "\u0435vil.\u0440\u0444 xn--e1afmkfd.xn--p1ai \u05d0.\u05d1\u05d2",
    "a header": "Aurora\r\nBcc: all@evil.example\r\n\r\nBuy",
    "vertical tabs": "Aurora\x0bBcc: x\x0c\x1c\x1d\x1e\x85\u2028\u2029y",
    "controls": "Aurora\x07\x1b[31m\x7f\x9b",
    "directions": "Aurora \u202eelpmaxe.live\u202c \u2066x\u2069",
    "half a pair": "Aurora \ud83d",
    "markup": "<a href=//evil.example>x</a>",
    "long": "evil.example " * 200,
    "a template": "{{ link }}{% load static %}",
}  # fmt: skip
# Only the database's own rule limits these texts: PostgreSQL stores no NUL and no half of a surrogate pair.
STORABLE = {name: word for name, word in WORDS.items() if name != "half a pair"}
SCHEME = re.compile(r"(?i)\b[a-z][a-z\d+.-]*:(?=[^\s])\S*")
HOST = re.compile(r"(?i)[^\s\"'<>()]*[^\W_][.\u2024\u3002\ufe52\uff0e\uff61][^\W\d_][^\s\"'<>]*")
NUMBERS = re.compile(r"\d+\.\d+\.\d+\.\d+")


def links_in(text: str) -> list[str]:
    """Return what a mail program might turn into a link, except the portal's own addresses and Altegio's."""
    ours = re.compile(r"https?://(localhost:8000|app\.alteg\.io)(/\S*)?")
    rest = ours.sub("", text)
    return [*SCHEME.findall(rest), *HOST.findall(rest), *NUMBERS.findall(rest)]


def visible(page: str) -> str:
    without_styles = re.sub(r"""\s(style|charset|name|content|role|lang|dir)=("[^"]*"|'[^']*')""", "", page)
    addresses = " ".join(re.findall(r'href="([^"]*)"', page))
    return html.unescape(re.sub(r"<[^>]+>", " ", without_styles)) + " " + html.unescape(addresses)


def check(message: EmailMultiAlternatives) -> None:
    assert re.fullmatch(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]+", str(message.subject))
    sent = message.message()
    assert sent["Bcc"] is None
    assert sent.as_bytes()
    page = str(message.alternatives[0][0])
    # A new password is for the account of the address to which this very e-mail goes.
    [reader] = message.to
    for text in (str(message.subject), str(message.body), visible(page)):
        assert links_in(text.replace(reader, "")) == []
        assert "{{ link }}" not in text or "load static" in text


def all_emails(word: str) -> dict[str, EmailMultiAlternatives]:
    """Return every e-mail, each with `word` wherever somebody else may have written."""
    gallery = Gallery("en")
    OwnersPages("en", gallery.address, gallery.owner, gallery.connections)._fill()
    arrival = gallery.arrival().pk
    Location.objects.update(title=word[:200])
    Application.objects.update(name=word[:60])
    Connection.objects.update(reason=word[:200], altegio_words=word[:200])
    Payment.objects.update(currency="EUR")
    User.objects.update(name=word[:200])
    owner, connections = User.objects.get(pk=gallery.owner.pk), gallery.connections
    line = {"connection": word, "ends": word, "over": True}
    staff: list[tuple[str, dict[str, object]]] = [
        ("staff/alerts", {"lines": [word], "more": 1, "list_url": "http://localhost:8000/admin/"}),
        ("staff/subscriptions", {"lines": [line], "more": 1, "list_url": "http://localhost:8000/admin/"}),
        ("staff/figures", {"week": "1", "lines": [], "alerts": 1, "list_url": "http://localhost:8000/admin/"}),
        ("staff/two_factor_link", {"state": "x"}),
        ("staff/two_factor_changed", {"what": word}),
    ]
    outgoing_emails = [*emails_about(owner, arrival, connections), *staff]
    return {
        template: render(OutgoingEmail(template=template, to="olga@example.com", person=owner, params=values))
        for template, values in outgoing_emails
    }


@pytest.mark.parametrize("word", STORABLE.values(), ids=STORABLE)
def test_no_email_repeats_strangers_links(word: str) -> None:
    outgoing_emails = all_emails(word)
    for message in outgoing_emails.values():
        check(message)
    folder = ROOT / "templates/emails"
    templates = {
        str(path.relative_to(folder).with_suffix(""))
        for path in folder.rglob("*.txt")
        if not path.stem.startswith("_")
    }
    assert set(outgoing_emails) == templates, "a new e-mail is added here"


@pytest.mark.parametrize("word", WORDS.values(), ids=WORDS)
def test_no_email_repeats_strangers_links_at_any_depth(word: str) -> None:
    payload = harmless({"lines": [{"place": {"title": word, "others": [[word]]}}]})
    place = payload["lines"][0]["place"]
    for text in (place["title"], place["others"][0][0]):
        assert links_in(text) == []
        assert text.encode()
        assert len(text) <= 1500


def test_an_address_of_ours_is_one_by_its_name_and_by_where_it_leads() -> None:
    payload = harmless(
        {
            "link": "http://localhost:8000/a/?b=c", "account_url": "http://localhost:8000", "title": "http://localhost:8000/a",
            "list_url": "http://localhost:8000.evil.example/", "reconnect_url": "https://evil.example/",
            "portal_url": "http://localhost:8000@evil.example/", "other_url": "http://localhost:8000/ x",
        }
    )  # fmt: skip
    assert payload["link"] == "http://localhost:8000/a/?b=c"
    assert payload["account_url"] == "http://localhost:8000"
    assert not any(payload[name] for name in ("list_url", "reconnect_url", "portal_url", "other_url"))
    assert links_in(payload["title"].replace("localhost", "x")) == []


def test_a_whole_row_is_never_given_to_a_template(connections: list[Connection]) -> None:
    with pytest.raises(TypeError, match="connection"):
        harmless({"lines": [{"connection": connections[0]}]})


@pytest.mark.parametrize(
    "text",
    ["Aurora Soho", "St. Mary's, 24/7", "Салон «Аврора»", "1,234.50\xa0€", "25.11.2026", "Dr. Ärztin", "10:30"],
)
def test_text_without_a_link_stays_as_it_was_written(text: str) -> None:
    assert harmless({"title": text}) == {"title": text}


def test_a_title_of_ours_with_a_dot_is_still_read(connections: list[Connection]) -> None:
    Location.objects.update(title="aurora.beauty")
    message = render(
        OutgoingEmail(template="disconnected", to="x@y.example", params={"connection": connections[0].pk})
    )
    assert message.subject == "aurora. beauty is disconnected"


def test_an_email_that_cannot_be_built_delays_no_other() -> None:
    one, two = (User.objects.create_user(f"{name}@owner.example") for name in ("one", "two"))
    queue_email("disconnected", one, key="1", connection=0)
    queue_email("staff/alerts", two, key="2", lines=["Aurora\x0bBcc: x"], more=0, list_url="")
    assert send_waiting_emails() == 1
    assert [outgoing_email.to for outgoing_email in mail.outbox] == [["two@owner.example"]]
