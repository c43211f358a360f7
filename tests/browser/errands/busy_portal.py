"""A portal in the middle of its life, and the people who are about to call."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import NamedTuple

from django.test import Client
from django.utils import timezone

from accounts.models import ApiKey, User
from billing.offers import fetch_tariffs
from integrations.activation.staff import ask_altegio
from integrations.backoffice.management.commands.prepare_demo import APPLICATIONS
from integrations.connections.models import Application, Chain, Connection
from integrations.messaging.models import RequestedMessage
from integrations.sender_names.names import ask_for_name, give_name, names_of
from integrations.telephony.models import PhoneCall
from sandbox import Sandbox
from sandbox.models import User as Person
from tests.billing.conftest import Billing
from tests.conftest import work_until_done
from tests.marketplace import AURORA_1, EMMA, MARIA, TELEPHONY, arrive, follow

PASSWORD = "correct horse battery"
REFUSED = {"status": 422, "remaining": 99, "body": {"success": False, "meta": {"message": "Not allowed"}}}
OWNERS = ("iris", "kira", "lena", "nora", "ruth")


class Places(NamedTuple):
    """Altegio's numbers of the locations that people call about, one for each errand."""

    frozen: int
    refused_names: int
    asked_name: int
    silent: int
    unpaid: int
    paid: int
    due: int
    disputed: int
    late: int
    new: int


class BusyPortal:
    """The portal at `url`; `work()` does what its workers would do."""

    def __init__(self, altegio: Sandbox, url: str) -> None:
        self.altegio, self.url, self.work = altegio, url, work_until_done
        for altegio_id, name, kind in APPLICATIONS:
            Application.objects.create(altegio_id=altegio_id, name=name, kind=kind, takes_messages=kind == "sms")
        _key, secret = ApiKey.objects.create_key(name="errands", scopes=["billing"])
        self.billing = Billing(Client(), secret)
        _chain, others = altegio.add_chain(40, "Lumen Studios")
        _chain, own = altegio.add_chain(len(Places._fields), "Willow Studios")
        self.at = Places(*own)
        self._connect([*others, *own[:8]], EMMA)
        self._connect([AURORA_1], EMMA, TELEPHONY)
        self._trouble()
        fetch_tariffs(Application.objects.get(altegio_id=1))
        self.places = {name: self._owner(name, number) for number, name in enumerate(OWNERS)}
        self.work()

    def case(self, place: int) -> Connection:
        """Return the newest connection of a location."""
        return Connection.objects.filter(location__altegio_id=place).order_by("-pk")[0]

    def staff(self, group: str) -> User:
        """Return a member of staff with this role."""
        person, _made = User.objects.get_or_create(
            email=f"{group.lower()}@partner.example", defaults={"is_staff": True}
        )
        person.groups.set([person.groups.model.objects.get(name=group)])
        return person

    def hesitate(self, place: int) -> None:
        """Somebody presses Connect, and Altegio does not answer."""
        fault = self.altegio.fault("error", status=503, remaining=None)
        arrive(Client(), self.altegio, place, MARIA)
        self.work(rounds=1)
        self.altegio.clear_faults(fault.id)

    def freeze(self, place: int) -> None:
        """Altegio freezes a location, and the portal learns of it."""
        self.altegio.freeze(place)
        ask_altegio(self.case(place).pk)
        self.work()

    def pay(self, place: int) -> None:
        """The partner's billing system reports a month's payment for a location."""
        now = timezone.now()
        period = {"period_from": now.isoformat(), "period_to": (now + timedelta(days=30)).isoformat()}
        self.billing.pay(salon_id=place, application_id=1, amount="29.00", paid_at=now.isoformat(), **period)
        self.work()

    def _connect(self, places: Sequence[int], person: int, application: int = 1) -> None:
        arrive(Client(), self.altegio, list(places), person, application)
        self.work()

    def _trouble(self) -> None:
        """Make the troubles that people call about."""
        at = self.at
        self.freeze(at.frozen)
        self.altegio.pay(at.frozen)  # at Altegio, which does not tell
        arrive(Client(), self.altegio, at.disputed, EMMA)
        follow(Client(), self.altegio, at.disputed, MARIA)
        self._refused("short_names", lambda: give_name(names_of(self.case(at.refused_names)), "Willow"))
        ask_for_name(names_of(self.case(at.asked_name)), "WILLOW")
        self._refused("payment", lambda: self.pay(at.unpaid))
        self.pay(at.paid)
        self._messages(self.case(at.silent))
        self._telephony()

    def _refused(self, call: str, do: Callable[[], object]) -> None:
        """Make the calls that Altegio refuses."""
        fault = self.altegio.fault("error", call, **REFUSED)
        do()
        self.work()
        self.altegio.clear_faults(fault.id)

    def _messages(self, connection: Connection) -> None:
        """Make yesterday's messages: five arrived, and the gateway reported no end of two."""
        state = RequestedMessage.State
        for number, value in enumerate([state.DELIVERED] * 5 + [state.UNANSWERED] * 2):
            RequestedMessage.objects.create(
                connection=connection,
                send_id=f"m{number}",
                phone="36301234567",
                text="See you at 10",
                sender_name="Willow",
                state=value,
            )

    def _telephony(self) -> None:
        """Make Aurora's chain, whose switch and one of whose calls were refused."""
        case = Connection.objects.get(location__altegio_id=10101, application__altegio_id=2, state="active")
        chain = Chain.objects.get(locations=case.location_id)
        chain.telephony, chain.telephony_error = Chain.Telephony.FAILED, "Not allowed"
        chain.save()
        PhoneCall.objects.create(
            chain=chain,
            location=case.location,
            call_id="1763993400.1",
            type="incoming",
            phone="442079460000",
            diversion="442079460101",
            state="failed",
            error="Not allowed",
        )

    def _owner(self, name: str, number: int) -> int:
        """Make an owner with a password and one location; return its number."""
        address = f"{name}@willow.example"
        self.altegio.add_user(Person(7001 + number, name.capitalize(), f"4420794607{number:02}", address))
        _chain, [place] = self.altegio.add_chain(1, f"{name.capitalize()}'s salon")
        self._connect([place], 7001 + number)
        person = User.objects.get(email=address)
        person.set_password(PASSWORD)
        person.email_proven_at, person.language = timezone.now(), "en"
        person.save()
        return place
