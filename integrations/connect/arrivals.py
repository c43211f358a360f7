"""Receiving an arrival: stored with its time, registered when the person is known, claimed, queued.

All of it in one transaction with the outgoing calls; the views only parse and show.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language

from accounts.emails import SIGNED, request_email
from accounts.languages import remember_language
from accounts.models import User
from accounts.proofs import link_altegio_user, take_over
from accounts.sessions import held_as
from accounts.terms import accept_terms, accepted_now
from integrations.alerts.models import Alert
from integrations.alerts.raising import raise_alerts
from integrations.connect.arrival_records import (
    digest_of,
    hide_others,
    note_owner,
    same_arrival,
    seen_again,
    show_connections,
    store_arrival,
)
from integrations.connect.claimants import Claimant, visitor_of
from integrations.connect.claims import claim_locations, give_claims, give_signed
from integrations.connect.parameters import Redirect
from integrations.connect.registration import Known, account_of, begins_anew, may_act
from integrations.connections.brand import brand_of
from integrations.connections.models import (
    UNDECIDED,
    Application,
    Arrival,
    Connection,
    RefusedArrival,
    application_for,
)
from partner_portal.core.brand import Brand
from partner_portal.core.overtaken import again_when_overtaken
from partner_portal.core.remembered import Remembered

# Arrivals come in bursts. What staff change in an application counts two seconds later for those who arrive.
known_applications = Remembered[Application](seconds=2.0)


@dataclass(frozen=True)
class SignUp:
    """What the sign-up form holds."""

    name: str
    email: str
    phone: str
    password: str


def application_of(altegio_id: int | None) -> Application | None:
    """`application_for`, as it was at most two seconds ago."""
    key = str(altegio_id)
    known = known_applications.get(key)
    if known is None and (known := application_for(altegio_id)) is not None:
        known_applications.put(key, known)
    return known


def refuse_arrival(application: Application | None, reason: str, salon_ids: Sequence[int]) -> None:
    """Remember that an arrival could not be read, why, and which locations it named; nothing else that it carried."""
    RefusedArrival.objects.create(application=application, reason=reason[:300], salon_ids=list(salon_ids))


@again_when_overtaken
def receive_signed(application: Application, redirect: Redirect) -> Arrival:
    """A redirect with valid user data: registered, claimed and queued without a form."""
    if redirect.person is None:
        raise ValueError("This redirect carries no person.")
    brand = brand_of(application)
    account = account_of(redirect.person, brand)
    now = timezone.now()
    if isinstance(account, Known):
        accept_terms(account.user, brand)
        remember_language(account.user)
        claimant, expected = Claimant.of(account.user, signed=True), None
    else:
        signed = f"a:{redirect.person.altegio_user_id}"
        claimant, expected = Claimant(signed, None, is_proven=True), account.expected
        _tell_of_staff(expected)
    claimed = claim_locations(application, redirect.salon_ids, claimant, arrived_at=now, now=now)
    digest = digest_of(application, redirect, claimant)
    arrival = same_arrival(digest, claimant.claim, expected, claimed, now)
    if arrival is None:
        arrival = store_arrival(application, redirect, now, digest=digest, claimant=claimant, expected=expected)
    else:
        hide_others(arrival, claimed)
    show_connections(arrival, claimed)
    return arrival


def _tell_of_staff(expected: User) -> None:
    """Alert staff to what one of them connects under their own address: nobody can sign in to it."""
    if expected.is_staff:
        text = (
            f"Altegio signed an arrival with the address of staff account #{expected.pk}. Staff own no locations, "
            "so what it connects is nobody's. Set another address at Altegio, and press Connect again."
        )
        raise_alerts([(Alert.Kind.REVIEW, f"staff-arrived:{expected.pk}", text, None)])


@transaction.atomic
def receive_unsigned(
    application: Application, redirect: Redirect, seen: Arrival | None, *, network: str = ""
) -> Arrival:
    """A redirect without user data: stored, so that the window runs; registered by a form.

    `seen` is the arrival this browser came with before, if any: the same link is the same arrival. `network` is
    where it came from, as a hash.
    """
    digest = digest_of(application, redirect, None)
    if seen is not None and seen.digest == digest and not seen.claim and timezone.now() < seen.deadline_at:
        seen_again(seen, timezone.now())
        return seen
    return store_arrival(application, redirect, timezone.now(), digest=digest, network=network)


@again_when_overtaken
def register(arrival: Arrival, sign_up: SignUp) -> Arrival:
    """The sign-up form. An address that has an account gets the same answer, and an e-mail that leads in.

    Its locations are activated all the same, so that no hour is missed; they are nobody's until the
    account's owner has signed in.
    """
    arrival = _locked(arrival)
    if arrival.claim:
        return arrival
    user, is_new = _account(sign_up, brand_of(arrival.application))
    if is_new:
        claimant = Claimant.of(user, network=arrival.network)
    else:
        origin = {"visitor": visitor_of(user), "network": arrival.network}
        claimant = Claimant(f"s:{arrival.pk}", None, is_proven=False, **origin)
    _claim(arrival, claimant, expected=None if is_new else user)
    send_sign_in_link(arrival, sign_up.email, "welcome" if is_new else "sign_in_link")
    arrival.signed_up = True
    arrival.save(update_fields=["signed_up"])
    return arrival


def _account(sign_up: SignUp, brand: Brand) -> tuple[User, bool]:
    """The account under this address, and whether it was made now: by the same queries, in the same time."""
    password = make_password(sign_up.password)
    language = get_language() or ""
    made = User(
        email=sign_up.email,
        name=sign_up.name,
        phone=sign_up.phone,
        password=password,
        language=language,
        accepted_terms=accepted_now(brand),
    )
    User.objects.bulk_create([made], ignore_conflicts=True)
    user = User.objects.with_email(sign_up.email).get()
    return user, user.password == password


def send_sign_in_link(arrival: Arrival, email: str, template: str = "sign_in_link") -> int:
    """An e-mail whose link signs its reader in, and gives them the arrival if it is theirs or expects them.

    Whoever asks for it, by whichever form, and whoever has the address: the same is done. Returns the seconds to
    wait where it is too many on this arrival.
    """
    asked_by = f"{SIGNED}{arrival.altegio_user_id}" if arrival.altegio_user_id else arrival.network
    return request_email(template, email, asked_by=asked_by, arrival=arrival.pk)


def person_of(arrival: Arrival) -> User | None:
    """Return whose the arrival is, or who must sign in before it is."""
    return arrival.user or arrival.expected_user


@again_when_overtaken
def give_to(arrival: Arrival, user: User, *, is_just_proven: bool) -> bool:
    """`user` acts on this arrival: it is theirs from now on. False where they may not (`may_act`).

    `user` as they were when they showed who they are; what has been taken back since opens nothing.
    `is_just_proven`: by their password or an e-mail, on this arrival. Then the Altegio user whom a signed
    arrival brought is linked, if it expects exactly this account.
    """
    if held_as(user) is None:
        return False
    arrival = _locked(arrival)
    if not may_act(arrival, user):
        return False
    accept_terms(user, brand_of(arrival.application))
    claimant = Claimant.of(user, signed=arrival.altegio_user_id is not None, network=arrival.network)
    if arrival.user_id is not None:
        if claimant.is_proven:
            _go_on(arrival, claimant)
            _prove(arrival)
        return True
    number = arrival.altegio_user_id
    may_link = is_just_proven and arrival.expected_user_id == user.pk
    if may_link and number is not None and link_altegio_user(user, number):
        give_signed(user, number)
    if not arrival.claim:
        _claim(arrival, claimant, expected=None)
        return True
    mine = Connection.objects.select_for_update(no_key=True).filter(arrivals=arrival).order_by("pk")
    give_claims(list(mine), {arrival.claim}, claimant)
    arrival.claim, arrival.user, arrival.expected_user = claimant.claim, user, None
    arrival.save(update_fields=["claim", "user", "expected_user"])
    _go_on(arrival, claimant)
    _prove(arrival)
    return True


def _prove(arrival: Arrival) -> None:
    """Its person is known: what was decided while only an address was typed is proven now."""
    typed = Connection.objects.filter(arrivals=arrival, is_proven=False).exclude(state__in=UNDECIDED)
    held = typed.select_for_update(of=("self",), no_key=True).select_related("application", "location__chain")
    note_owner(arrival, list(held.order_by("pk")))


def _go_on(arrival: Arrival, claimant: Claimant) -> None:
    """Let go on, within the window, what waited for the person to be known or to prove who they are."""
    if timezone.now() >= arrival.deadline_at:
        return
    decided = set(arrival.connections.exclude(state__in=UNDECIDED).values_list("location__altegio_id", flat=True))
    rest = [salon_id for salon_id in arrival.salon_ids if salon_id not in decided]
    if rest:
        now = timezone.now()
        show_connections(
            arrival,
            claim_locations(arrival.application, rest, claimant, arrived_at=arrival.arrived_at, now=now),
        )


@transaction.atomic
def enter_by_email(arrival: Arrival, user: User, *, password: str, keeps_password: bool) -> bool:
    """The link in an e-mail was opened. False where the arrival is, or waits for, somebody else.

    An arrival that waits for nobody stays as it is: its owner says on its page that it is theirs.
    """
    if held_as(user) is None:
        return False
    arrival = _locked(arrival)
    if not may_act(arrival, user):
        return False
    if begins_anew(arrival, user):
        take_over(user, password=password, keeps_password=keeps_password)
    return give_to(arrival, user, is_just_proven=True) if arrival.claim else True


class UnsignedArrivalError(Exception):
    """This application connects nothing for an arrival on which Altegio has not signed who came."""


def _claim(arrival: Arrival, claimant: Claimant, *, expected: User | None) -> None:
    if arrival.application.is_personal_data_access_needed and arrival.altegio_user_id is None:
        raise UnsignedArrivalError
    claimed = claim_locations(
        arrival.application,
        arrival.salon_ids,
        claimant,
        arrived_at=arrival.arrived_at,
        now=timezone.now(),
    )
    arrival.claim, arrival.user, arrival.expected_user = claimant.claim, claimant.user, expected
    arrival.save(update_fields=["claim", "user", "expected_user"])
    hide_others(arrival, claimed)
    show_connections(arrival, claimed)


def _locked(arrival: Arrival) -> Arrival:
    locked = Arrival.objects.select_for_update(of=("self",), no_key=True)
    return locked.select_related("application").get(pk=arrival.pk)
