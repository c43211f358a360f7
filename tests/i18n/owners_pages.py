"""The pages of an owner's account, each in every state that it has words for."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import pages
from accounts.confirmation_links import Purpose, link_for, state_of
from accounts.frame_tokens import make_frame_token
from accounts.listing import PER_PAGE
from accounts.models import User
from billing.models import Payment, PaymentLink, PaymentStatus, TariffOption
from integrations.connections.models import Application, Chain, Connection, Installation, Location
from integrations.sender_names.models import NameState, SenderName, SenderNameList
from tests.planting import give_calls
from tests.response import Response

PASSWORD = "correct horse battery"
LONG = ("accounts:home", "billing:subscriptions", "billing:payments", "sender_names:list")
LISTS = (*LONG, "telephony:list", "accounts:me")


class OwnersPages:
    """The gallery owner's data, and the pages that show it."""

    def __init__(self, language: str, address: str, owner: User, connections: dict[str, Connection]) -> None:
        self.language, self.address, self.owner, self.connections = language, address, owner, connections
        self.application = connections["active"].application
        self.now = timezone.now()

    def everything(self) -> Iterator[tuple[str, Response]]:
        """Show all pages of the account."""
        browser = self.browser(self.owner)
        yield from self._lists(browser, "before")
        self._fill()
        yield from self._lists(browser, "filled")
        yield from self._notices(browser)
        yield from self._nothing_and_much()
        yield from self._doing(browser)
        yield from self._data(browser)
        yield from self._address()
        yield from self._leaving()
        yield from self._in_the_frame()

    def browser(self, owner: User) -> Client:
        client = Client(headers={"Accept-Language": self.language}, REMOTE_ADDR=self.address)
        client.force_login(owner)
        return client

    def person(self, email: str, **fields: object) -> User:
        """Make another owner who reads the same language."""
        return User.objects.create_user(email, PASSWORD, name="Emma Wilde", language=self.language, **fields)

    def _lists(self, browser: Client, when: str) -> Iterator[tuple[str, Response]]:
        for name in LISTS:
            yield f"{name}, {when}", browser.get(reverse(name))

    def _notices(self, browser: Client) -> Iterator[tuple[str, Response]]:
        for code in pages.NOTICES.names():
            yield f"notice {code}", browser.get(f"/account/me/?done={code}")

    def _nothing_and_much(self) -> Iterator[tuple[str, Response]]:
        alone, busy = self.person("olga@aurora.example"), self.person("ivan@aurora.example")
        yield from self._lists(self.browser(alone), "with nothing")
        Connection.objects.bulk_create(
            [
                self._connection(self._location(1000 + number), busy, state="active" if number else "frozen")
                for number in range(PER_PAGE + 1)
            ]
        )
        browser = self.browser(busy)
        for name in LONG:
            yield f"{name}, long", browser.get(reverse(name))
            yield f"{name}, second page", browser.get(f"{reverse(name)}?page=2")
            yield f"{name}, nothing found", browser.get(f"{reverse(name)}?q=zzz")

    def _doing(self, browser: Client) -> Iterator[tuple[str, Response]]:
        """Show an owner's changes, and how they are refused."""
        ask = reverse("sender_names:ask", args=[self.connections["active"].pk])
        yield "bad sender name", browser.post(ask, {"name": "altegio"})
        gone = self._connection(self._location(2000), self.owner, state="failed")
        gone.save()
        address = reverse("lifecycle:disconnect", args=[gone.pk])
        yield "disconnect what is not connected", browser.post(address)

    def _data(self, browser: Client) -> Iterator[tuple[str, Response]]:
        """Show the pages of name, address and password."""
        yield "my data, badly", browser.post("/account/me/", {"name": "x" * 300, "phone": "1" * 40, "language": ""})
        yield "e-mail", browser.get("/account/me/email/")
        yield "e-mail, badly", browser.post("/account/me/email/", {"email": "emma", "old_password": "wrong"})
        yield "password", browser.get("/account/me/password/")
        bad = {"old_password": "wrong", "new_password1": "123", "new_password2": "456"}
        yield "password, badly", browser.post("/account/me/password/", bad)
        none = User.objects.create_user(None, name="Emma Wilde", language=self.language)
        browser = self.browser(none)
        yield "my data without password", browser.get("/account/me/")
        yield "first password", browser.get("/account/me/password/")
        session = browser.session
        session["signed_in_at"] = 0
        session.save()
        yield "first password by an e-mail", browser.get("/account/me/password/")
        yield "erase without password", browser.get("/account/me/erase/")

    def _address(self) -> Iterator[tuple[str, Response]]:
        """Show the steps to another e-mail address."""
        person = self.person("olga@soho.example", pending_email="emma@aurora.example")
        browser = self.browser(person)
        yield "my data with a wish", browser.get("/account/me/")
        link = self._link(person, "email", "accounts:email-confirm")
        yield "confirm e-mail", browser.get(link)
        yield "e-mail taken", browser.post(link)
        person.pending_email = "olga@hove.example"
        person.save()
        link = self._link(person, "email", "accounts:email-confirm")
        yield "e-mail changed", browser.post(link)
        yield "e-mail changed already", browser.get(link)

    def _leaving(self) -> Iterator[tuple[str, Response]]:
        person = self.person("ivan@soho.example")
        self._connection(self._location(3000), person).save()
        browser = self.browser(person)
        yield "erase", browser.get("/account/me/erase/")
        yield "erase badly", browser.post("/account/me/erase/", {"old_password": "wrong"})
        yield "erase, two locations", self.browser(self.owner).get("/account/me/erase/")
        link = self._link(person, "erase", "lifecycle:erase-confirm")
        yield "erase, the last question", browser.get(link)
        yield "erased", browser.post(link)
        yield "erased already", self.browser(self.owner).get(link)

    def _in_the_frame(self) -> Iterator[tuple[str, Response]]:
        """Show the pages in the frame, where the browser speaks another language than the account."""
        other = "hu" if self.language != "hu" else "ru"
        headers = {"Accept-Language": other, "Sec-Fetch-Dest": "iframe"}
        frame = f"/connect/as/{make_frame_token(self.owner)}"
        browser = Client(headers=headers, REMOTE_ADDR=self.address)
        for name in LISTS:
            yield f"{name}, in the frame", browser.get(frame + reverse(name))
        yield "outside the frame", browser.get(f"{frame}/account/me/password/")
        browser = Client(headers={"Accept-Language": self.language}, REMOTE_ADDR=self.address)
        yield "old pass", browser.get("/connect/as/old/account/")

    def _link(self, person: User, purpose: Purpose, name: str) -> str:
        address = link_for(person, purpose, name, state=state_of(person))
        return address[address.index("/account/") :]

    def _location(self, number: int, chain: Chain | None = None) -> Location:
        return Location.objects.create(altegio_id=number, title="Aurora Hove", chain=chain)

    def _connection(self, location: Location, owner: User, **fields: object) -> Connection:
        values: dict[str, object] = {
            "application": self.application,
            "state": "active",
            "claim": f"u:{owner.pk}",
            "owner": owner,
            "arrived_at": self.now,
            "last_arrived_at": self.now,
            "deadline_at": self.now,
            "reviewed_at": self.now,
        }
        return Connection(location=location, **(values | fields))

    def _fill(self) -> None:
        """Make payments, subscriptions, sender names and chains in each of their states."""
        self._subscriptions()
        self._payments()
        self._sender_names()
        self._chains()
        give_calls()

    def _subscriptions(self) -> None:
        month = timedelta(days=30)
        option = TariffOption.objects.create(
            application=self.application, altegio_id=5, tariff_title="Premium 6M", price=Decimal(30), currency="EUR"
        )
        for state, connection in (("queued", "active"), ("failed", "frozen")):
            PaymentLink.objects.create(connection=self.connections[connection], option=option, state=state)
        ready = self._connection(self._location(4000), self.owner, trial_ends_at=self.now + month)
        ready.save()
        PaymentLink.objects.create(connection=ready, option=option, state="synced", url="https://pay.example/")
        paid, due = self.connections["active"], self.connections["frozen"]
        paid.paid_until = paid.next_payment_at = self.now + month
        due.next_payment_at = self.now - month
        paid.save()
        due.save()
        self._connection(self._location(4001), self.owner).save()

    def _payments(self) -> None:
        for number, status in enumerate(PaymentStatus):
            Payment.objects.create(
                source="api",
                connection=self.connections["active"],
                application=self.application,
                location=self.connections["active"].location,
                amount=Decimal(30),
                currency="EUR",
                paid_at=self.now,
                period_from=self.now,
                period_to=self.now + timedelta(days=30),
                status=status,
                altegio_payment_id=number if status in (PaymentStatus.REPORTED, PaymentStatus.REFUNDED) else None,
                refunded_at=self.now if status == PaymentStatus.REFUNDED else None,
            )

    def _sender_names(self) -> None:
        for connection, sync in (("active", "queued"), ("frozen", "failed")):
            place = self.connections[connection]
            installation = Installation.at(self.application, place.location)
            names = SenderNameList.objects.create(installation=installation, sync_state=sync)
            for name, state in (("Aurora Soho", NameState.ASKED), ("Aurora Hove", NameState.REFUSED)):
                SenderName.objects.create(list=names, name=name, state=state)
            SenderName.objects.create(
                list=names, name="Zurikom", state=NameState.GRANTED, valid_until=self.now + timedelta(days=30)
            )

    def _chains(self) -> None:
        speaking, _made = Application.objects.get_or_create(
            altegio_id=2, defaults={"name": "Zürikom", "kind": Application.Kind.TELEPHONY}
        )
        for number, state in enumerate(Chain.Telephony):
            chain = Chain.objects.create(
                altegio_id=50 + number,
                title="" if state == Chain.Telephony.ON else "Zzz zzz",
                telephony=state,
                telephony_since=self.now,
            )
            for place in range(1 + number % 2):
                location = self._location(5000 + 10 * number + place, chain)
                self._connection(location, self.owner, application=speaking).save()
