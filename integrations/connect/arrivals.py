"""Receiving an arrival: it is stored with its time, registered once the person is known, claimed and queued.

All of it happens in one transaction with the outgoing calls; the views only parse and show.
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
from integrations.connect.expectations import EXPECTED, expect, expects
from integrations.connect.nobody_signs_in import tell_if_nobody_signs_in
from integrations.connect.parameters import Redirect
from integrations.connect.registration import (
    Known,
    account_of,
    begins_anew,
    may_act,
    opens_to_reader,
    user_who_came_for,
)
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

# Arrivals come in bursts, so applications are cached. A change by staff reaches arrivals two seconds later.
known_applications = Remembered[Application](seconds=2.0)


@dataclass(frozen=True)
class SignUp:
    """The content of the sign-up form."""

    name: str
    email: str
    phone: str
    password: str


def application_of(altegio_id: int | None) -> Application | None:
    """Return what `application_for` returns, at most two seconds out of date."""
    key = str(altegio_id)
    known = known_applications.get(key)
    if known is None and (known := application_for(altegio_id)) is not None:
        known_applications.put(key, known)
    return known


def refuse_arrival(application: Application | None, reason: str, salon_ids: Sequence[int]) -> None:
    """Record that an arrival could not be read, why, and which locations it named; nothing else that it carried."""
    RefusedArrival.objects.create(application=application, reason=reason[:300], salon_ids=list(salon_ids))


@again_when_overtaken
def receive_signed(application: Application, redirect: Redirect) -> Arrival:
    """Store a redirect with valid user data, and register, claim and queue without a form.

    Raises ValueError if the redirect carries no person.
    """
    if redirect.person is None:
        raise ValueError("This redirect carries no person.")
    brand = brand_of(application)
    account = account_of(redirect.person, brand)
    now = timezone.now()
    if isinstance(account, Known):
        accept_terms(account.user, brand)
        remember_language(account.user)
        claimant, expected = Claimant.of(account.user, signed=True, is_new=account.is_new), None
    else:
        signed = f"a:{redirect.person.altegio_user_id}"
        claimant, expected = Claimant(signed, None, is_proven=True), account.expected
        tell_if_nobody_signs_in(expected)
    claimed = claim_locations(application, redirect.salon_ids, claimant, arrived_at=now, now=now)
    digest = digest_of(application, redirect, claimant)
    arrival = same_arrival(digest, claimant.claim, expected, claimed, now)
    if arrival is None:
        arrival = store_arrival(application, redirect, now, digest=digest, claimant=claimant, expected=expected)
    else:
        hide_others(arrival, claimed)
    show_connections(arrival, claimed)
    return arrival


@transaction.atomic
def receive_unsigned(
    application: Application, redirect: Redirect, seen: Arrival | None, *, network: str = ""
) -> Arrival:
    """Store a redirect without user data, so that its window runs; a form registers it later.

    `seen` is the arrival that this browser brought before, if any: the same link within its window, not yet claimed,
    is the same arrival. `network` is a hash of where the redirect came from.
    """
    digest = digest_of(application, redirect, None)
    if seen is not None and seen.digest == digest and not seen.claim and timezone.now() < seen.deadline_at:
        seen_again(seen, timezone.now())
        return seen
    return store_arrival(application, redirect, timezone.now(), digest=digest, network=network)


@again_when_overtaken
def register(arrival: Arrival, sign_up: SignUp) -> Arrival:
    """Register the arrival with the sign-up form, and send an e-mail with a sign-in link.

    An address that already has an account gets the same answer. Its locations are activated as well, so that the
    window is not missed; they belong to nobody until the account's owner has signed in.
    """
    arrival = _locked(arrival)
    if arrival.claim:
        return arrival
    user, is_new = _account(sign_up, brand_of(arrival.application))
    if is_new:
        claimant = Claimant.of(user, network=arrival.network)
    else:
        claim, visitor = f"s:{arrival.pk}", visitor_of(user)
        claimant = Claimant(claim, None, is_proven=False, visitor=visitor, network=arrival.network)
    _claim(arrival, claimant, expected=None if is_new else user)
    send_sign_in_link(arrival, sign_up.email, "welcome" if is_new else "sign_in_link")
    arrival.signed_up = True
    arrival.save(update_fields=["signed_up"])
    return arrival


def _account(sign_up: SignUp, brand: Brand) -> tuple[User, bool]:
    """Return the account with this address, and whether it was created now.

    Both cases run the same queries and take the same time, so that the time reveals no account.
    """
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
    """Queue an e-mail whose link signs its reader in, and gives them the arrival if it is theirs or expects them.

    The steps are the same for every form and every address. Returns the seconds to wait if the arrival has had too
    many such e-mails, else 0.
    """
    asked_by = f"{SIGNED}{arrival.altegio_user_id}" if arrival.altegio_user_id else arrival.network
    return request_email(template, email, asked_by=asked_by, arrival=arrival.pk)


def person_of(arrival: Arrival) -> User | None:
    """Return the arrival's person, or the account whose address it expects; None if that has left the address."""
    expected = arrival.expected_user
    return arrival.user or (expected if expected is not None and expects(arrival, expected) else None)


@again_when_overtaken
def give_to(arrival: Arrival, user: User, *, is_just_proven: bool) -> bool:
    """Give the arrival to `user`, who acts on it. Return False if they may not (`may_act`).

    `user` is the account as it was when its owner showed who they are; a session that was ended since opens nothing.
    `is_just_proven` says that they did so by a password or an e-mail on this arrival. Then the Altegio user whom a
    signed arrival brought is linked, if `user_who_came_for` says so.
    """
    if (held := held_as(user)) is None:
        return False
    arrival = _locked(arrival)
    if not may_act(arrival, held):
        return False
    accept_terms(user, brand_of(arrival.application))
    claimant = Claimant.of(user, signed=arrival.altegio_user_id is not None, network=arrival.network)
    if arrival.user_id is not None:
        if claimant.is_proven:
            _go_on(arrival, claimant)
            _prove(arrival)
        return True
    number = user_who_came_for(held, arrival) if is_just_proven else None
    if number is not None and link_altegio_user(user, number):
        give_signed(user, number)
    if not arrival.claim:
        _claim(arrival, claimant, expected=None)
        return True
    mine = Connection.objects.select_for_update(no_key=True).filter(arrivals=arrival).order_by("pk")
    give_claims(list(mine), {arrival.claim}, claimant)
    arrival.claim, arrival.user = claimant.claim, user
    expect(arrival, None)
    arrival.save(update_fields=["claim", "user", *EXPECTED])
    _go_on(arrival, claimant)
    _prove(arrival)
    return True


def _prove(arrival: Arrival) -> None:
    """Mark as proven what was decided while the arrival's address had merely been typed, now that its person is
    known.
    """
    typed = Connection.objects.filter(arrivals=arrival, is_proven=False).exclude(state__in=UNDECIDED)
    held = typed.select_for_update(of=("self",), no_key=True).select_related("application", "location__chain")
    note_owner(arrival, list(held.order_by("pk")))


def _go_on(arrival: Arrival, claimant: Claimant) -> None:
    """Claim, within the window, the locations that waited for the person to be known or to prove who they are."""
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
    """Sign in on the arrival by the link in an e-mail. Return False if the arrival is, or waits for, somebody else's.

    An arrival that waits for nobody stays as it is: its owner says on its page that it is theirs.
    """
    if (held := held_as(user)) is None:
        return False
    arrival = _locked(arrival)
    if not opens_to_reader(arrival, held):
        return False
    if begins_anew(arrival, user):
        take_over(user, password=password, keeps_password=keeps_password)
    return give_to(arrival, user, is_just_proven=True) if arrival.claim else True


class UnsignedArrivalError(Exception):
    """Raised when an application connects nothing for an arrival on which Altegio has not signed who came."""


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
    arrival.claim, arrival.user = claimant.claim, claimant.user
    expect(arrival, expected)
    arrival.save(update_fields=["claim", "user", *EXPECTED])
    hide_others(arrival, claimed)
    show_connections(arrival, claimed)


def _locked(arrival: Arrival) -> Arrival:
    locked = Arrival.objects.select_for_update(of=("self",), no_key=True)
    return locked.select_related("application").get(pk=arrival.pk)
