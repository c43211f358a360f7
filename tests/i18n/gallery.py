"""The gallery: every page and e-mail that owners read, one after another."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from django.contrib.auth.tokens import default_token_generator
from django.http import HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.urls import Resolver404, reverse
from django.utils import timezone, translation
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.views import defaults

from accounts import limits
from accounts.email_rendering import render
from accounts.models import AltegioIdentity, OutgoingEmail, User
from integrations.activation.call_kinds import Activate
from integrations.connect import tokens
from integrations.connect.claimants import visitor_of
from integrations.connections.models import Application, Arrival, ArrivalLocation, Connection, EndedBy, Location
from integrations.outbox.models import CallState, OutgoingCall
from integrations.outbox.queue import queue_fresh
from partner_portal.core import catalogs
from partner_portal.core.api_errors import server_error
from partner_portal.core.brand import Brand
from tests.i18n.owners_emails import emails_about
from tests.i18n.owners_pages import PASSWORD, OwnersPages
from tests.marketplace import MARIA, proven_owner
from tests.response import Response

LANGUAGES = ["en", *catalogs.LANGUAGES]
# These are names, not words: what a page shows of them is the owner's or Altegio's.
BLUEBIRD = Brand(
    name="Bluebird SMS",
    color="#ffee00",
    support_email="care@bluebird.example",
    support_url="https://bluebird.example/1",
    terms_url="https://bluebird.example/2",
    privacy_url="https://bluebird.example/3",
)
DATA = frozenset(
    {
        BLUEBIRD.name, BLUEBIRD.support_email, BLUEBIRD.support_url, BLUEBIRD.terms_url, BLUEBIRD.privacy_url,
        "Altegio", "Zürikom", "Zurikom", "Aurora Soho", "Aurora Hove", "Emma Wilde", "emma@aurora.example",
        "olga@example.com", "olga@aurora.example", "ivan@aurora.example", "olga@soho.example",
        "olga@hove.example", "ivan@soho.example", "Premium 6M", "Zzz zzz",
    }
)  # fmt: skip


@dataclass
class Shown:
    """A text and where it was shown; `view` is the name of the address that answered, if it has one."""

    name: str
    text: str
    view: str = ""


@dataclass
class Gallery:
    """A gallery with one owner, one location in each state, and visitors."""

    language: str
    application: Application = field(init=False)
    owner: User = field(init=False)
    connections: dict[str, Connection] = field(init=False)

    @property
    def address(self) -> str:
        """Return a network address for the visitors: limits count each gallery separately."""
        return f"192.0.2.{1 + LANGUAGES.index(self.language)}"

    def __post_init__(self) -> None:
        now = timezone.now()
        self.application, _made = Application.objects.get_or_create(altegio_id=1)
        self.application.name, self.application.handover_url = "Zürikom", "https://cabinet.example/"
        self.application.save()
        self.owner = User.objects.create_user(
            "emma@aurora.example", PASSWORD, name="Emma Wilde", language=self.language
        )
        # This person is known by a signature, and their address is not proven yet.
        AltegioIdentity.objects.get_or_create(altegio_user_id=9001, defaults={"user": self.owner})
        states = ("granted", "active", "frozen", "uninstalled", "expired", "failed", "conflict")
        self.connections = {
            state: Connection.objects.create(
                application=self.application,
                location=Location.objects.create(altegio_id=100 + number, title="Aurora Soho"),
                state=state,
                reason="No open grant" if state == "failed" else "",
                altegio_words="Zzz zzz" if state in ("failed", "expired") else "",
                claim=f"u:{self.owner.pk}",
                claimant=self.owner,
                owner=self.owner if state not in ("granted", "conflict") else None,
                arrived_at=now,
                last_arrived_at=now,
                deadline_at=now + timedelta(minutes=50),
                reviewed_at=now if state == "active" else None,
                frozen_at=now if state == "frozen" else None,
            )
            for number, state in enumerate(states)
        }
        granted, conflict = self.connections["granted"], self.connections["conflict"]
        queue_fresh([Activate.new(granted), Activate.new(conflict, state=CallState.HELD)])

    def browser(self, owner: User | None = None) -> Client:
        """Return a browser in the gallery's language, with `owner` signed in."""
        client = Client(headers={"Accept-Language": self.language}, REMOTE_ADDR=self.address)
        if owner is not None:
            client.force_login(owner)
        return client

    def arrival(self, *states: str, **fields: object) -> Arrival:
        """Make an arrival whose page shows the locations in these states, or one more without states."""
        shown = [self.connections[state] for state in states]
        values: dict[str, object] = {
            "application": self.application,
            "deadline_at": timezone.now() + timedelta(minutes=50),
            "salon_ids": [connection.location.altegio_id for connection in shown] or [999],
            "claim": f"u:{self.owner.pk}" if shown else "",
            "user": self.owner if shown else None,
        }
        arrival = Arrival.objects.create(**(values | fields))
        ArrivalLocation.objects.bulk_create([ArrivalLocation(arrival=arrival, connection=row) for row in shown])
        return arrival

    def everything(self, brand: Brand = BLUEBIRD) -> Iterator[Shown]:
        """Show everything, for a partner with this brand."""
        with override_settings(BRAND=brand):
            yield from self._everything()

    def _everything(self) -> Iterator[Shown]:
        for name, answer in [*self.arriving(), *self.statuses(), *self.accounts(), *self.errors()]:
            yield Shown(name, answer.content.decode(), _view_of(answer))
        yield from self.outgoing_emails()

    def arriving(self) -> Iterator[tuple[str, HttpResponse | Response]]:
        """Show the registration redirect, its forms, and what may go wrong with them."""
        browser, signed_in = self.browser(), self.browser(self.owner)
        yield "arrive", browser.get("/connect/?salon_id=7")
        yield "arrive with two", browser.get("/connect/?salon_ids=7,8")
        yield "arrive signed in", signed_in.get("/connect/?salon_id=7")
        yield "arrive wrongly", browser.get("/connect/?salon_id=x")
        yield "arrive without location", browser.get("/connect/")
        yield "arrive at no application", browser.get("/connect/77/?salon_id=7")
        step = reverse("connect:step", args=[tokens.step_token(self.arrival())])
        claimed = reverse("connect:step", args=[tokens.step_token(self.arrival("granted", user=None))])
        taken = reverse("connect:step", args=[tokens.step_token(self.arrival("active"))])
        proven_owner("olga@example.com", PASSWORD)
        olga = {"email": "olga@example.com", "password": PASSWORD}
        yield "step", browser.get(step)
        yield "step once claimed", browser.get(claimed)
        yield "sign up with nothing", browser.post(f"{step}sign-up/", {})
        bad = {"name": "Emma Wilde", "email": "emma", "password": "12345", "phone": "1" * 40}
        yield "sign up badly", browser.post(f"{step}sign-up/", bad)
        yield "sign in badly", browser.post(f"{step}sign-in/", olga | {"password": "wrong"})
        yield "signed in at another's", browser.post(f"{taken}sign-in/", olga)
        yield "link to nowhere", browser.post(f"{step}link/", {"email": ""})
        yield "link sent", browser.post(f"{step}link/", {"email": "emma@aurora.example"})
        yield "step too old", browser.get("/connect/step/old/")
        yield "confirm too late", browser.get("/connect/confirm/old/")
        yield "confirm", browser.get(reverse("connect:confirm", args=[self._link()]))
        signed = tokens.link_token(self._expecting().pk, self.owner)
        yield "confirm a signed visit", browser.get(reverse("connect:confirm", args=[signed]))
        yield from self._too_many(limits.SIGN_UPS, "sign up", lambda: browser.post(f"{step}sign-up/", {}))

    def statuses(self) -> Iterator[tuple[str, HttpResponse | Response]]:
        """Show the status page in each of its states."""
        browser = self.browser()
        yield "status too old", browser.get("/connect/status/old/")
        for state in self.connections:
            yield f"status {state}", self._status(browser, self.arrival(state))
        self.connections["failed"].ended_by = EndedBy.STAFF
        self.connections["failed"].save()
        yield "status decided by staff", self._status(browser, self.arrival("failed"))
        self.connections["failed"].ended_by = ""
        self.connections["failed"].save()
        yield "status of all", self._status(browser, self.arrival(*self.connections))
        over = timezone.now() - timedelta(hours=1)
        yield "status too late", self._status(browser, self.arrival(deadline_at=over))
        yield "status signed in", self._status(self.browser(self.owner), self.arrival("active", "failed"))
        yield "status signed up", self._status(browser, self.arrival("granted", signed_up=True))
        expected = self._expecting()
        yield "status expected", self._status(browser, expected)
        token = tokens.status_token(expected)
        yield "status, badly", browser.post(reverse("connect:status-sign-in", args=[token]), {"password": "x"})
        yield "status, link sent", browser.post(reverse("connect:status-link", args=[token]))
        calls = OutgoingCall.objects.filter(connection=self.connections["granted"])
        calls.update(setbacks=1)
        yield "status struggling", self._status(browser, self.arrival("granted"))
        calls.update(setbacks=0)

    def accounts(self) -> Iterator[tuple[str, HttpResponse | Response]]:
        """Show the owner's own pages."""
        browser, signed_in = self.browser(), self.browser(self.owner)
        yield "sign in", browser.get("/account/sign-in/")
        yield "sign in after a reset", browser.get("/account/sign-in/?done=password-chosen")
        yield "sign in badly", browser.post("/account/sign-in/", {"username": "emma@aurora.example", "password": "x"})
        yield "sign in with nothing", browser.post("/account/sign-in/", {})
        yield "reset", browser.get("/account/reset/")
        yield "reset badly", browser.post("/account/reset/", {"email": "emma"})
        yield "reset sent", browser.get("/account/reset/sent/")
        uid, token = urlsafe_base64_encode(force_bytes(self.owner.pk)), default_token_generator.make_token(self.owner)
        yield "reset too late", browser.get(f"/account/reset/{uid}/old/")
        form = browser.get(f"/account/reset/{uid}/{token}/", follow=True)
        yield "new password", form
        there = form.redirect_chain[-1][0]
        yield "new password, badly", browser.post(there, {"new_password1": "123", "new_password2": "456"})
        yield "new password, weak", browser.post(there, {"new_password1": "123", "new_password2": "123"})
        yield from OwnersPages(self.language, self.address, self.owner, self.connections).everything()
        yield "disconnect", signed_in.get(reverse("lifecycle:disconnect", args=[self.connections["active"].pk]))
        yield from self._too_many(limits.SIGN_INS, "sign in", lambda: browser.post("/account/sign-in/", {}))

    def errors(self) -> Iterator[tuple[str, HttpResponse | Response]]:
        """Show the pages of errors."""
        yield "404", self.browser().get("/nowhere/")
        yield (
            "csrf",
            Client(enforce_csrf_checks=True, headers={"Accept-Language": self.language}).post(
                "/account/sign-in/", {}
            ),
        )
        request = RequestFactory().get("/")
        with translation.override(self.language):
            yield "400", defaults.bad_request(request, Exception())
            yield "403", defaults.permission_denied(request, Exception())
            yield "500", server_error(request)

    def outgoing_emails(self) -> Iterator[Shown]:
        """Show every e-mail to owners, as text and as HTML."""
        for template, values in emails_about(self.owner, self._expecting().pk, self.connections):
            payload = {"to": "olga@example.com", "person": self.owner, "language": self.language, "params": values}
            outgoing_email = render(OutgoingEmail(template=template, **payload))
            name = f"e-mail {template}, {values.get('more', 0)} more"
            yield Shown(f"{name}, subject", str(outgoing_email.subject))
            yield Shown(name, str(outgoing_email.body))
            yield Shown(f"{name}, HTML", str(outgoing_email.alternatives[0][0]))

    def _status(self, browser: Client, arrival: Arrival) -> Response:
        return browser.get(reverse("connect:status", args=[tokens.status_token(arrival)]))

    def _expecting(self) -> Arrival:
        """Return an arrival that Altegio signed for a user who is not linked; it waits for the owner."""
        address: dict[str, object] = {"expected_user": self.owner, "expected_address_hash": visitor_of(self.owner)}
        return self.arrival("granted", user=None, altegio_user_id=MARIA, **address)

    def _link(self) -> str:
        return tokens.link_token(self.arrival().pk, self.owner)

    def _too_many(
        self, limit: limits.Limit, name: str, visit: Callable[[], Response]
    ) -> Iterator[tuple[str, HttpResponse | Response]]:
        for _ in range(limit.most):
            limit.count(self.address)
        yield f"{name}, too often", visit()


def _view_of(answer: HttpResponse | Response) -> str:
    """Return the name of the address, or "" if there is none or no request reached it."""
    try:
        return str(answer.resolver_match.view_name)  # type: ignore[union-attr]
    except (AttributeError, Resolver404):
        return ""
