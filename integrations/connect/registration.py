"""Identification of who arrives: by Altegio's signature, a sign-up or a sign-in (docs/altegio.md §1).

A signature proves who the person is at Altegio. It never opens an account that was made in the portal under the same
e-mail address: its owner signs in once and is linked. It never opens a staff account.
"""

from dataclasses import dataclass

from django.utils.translation import get_language

from accounts.mail_addresses import address_in
from accounts.models import AltegioIdentity, User
from accounts.proofs import has_proven_address
from accounts.terms import accepted_now
from integrations.altegio.signatures import Person
from integrations.connect.claims import give_signed
from integrations.connect.expectations import expects, waits_for
from integrations.connections.models import Arrival
from partner_portal.core.brand import Brand
from partner_portal.core.fast_insert import insert
from partner_portal.core.fast_query import Rows

_linked = Rows[AltegioIdentity](
    lambda altegio_user_id: AltegioIdentity.objects.select_related("user").filter(altegio_user_id=altegio_user_id)
)
_with_email = Rows[User](lambda email: User.objects.with_email(email))


@dataclass(frozen=True)
class Known:
    """The signed person's account; `is_new` says that it was made just now."""

    user: User
    is_new: bool = False


@dataclass(frozen=True)
class MustSignIn:
    """An account that the signature alone does not open."""

    expected: User


def account_of(person: Person, brand: Brand) -> Known | MustSignIn:
    """Return the signed person's account, found by the Altegio user id or created; a new one accepts the terms of
    `brand`.

    Raises IntegrityError if the same person, or their address, arrived at the same moment: the caller retries the
    transaction.
    """
    linked = _linked(person.altegio_user_id)
    return _unless_closed(linked[0].user) if linked else _account_by_email(person, brand)


def user_with_email(email: str) -> User | None:
    """Return the account with this address, compared without case, or None."""
    return next(iter(_with_email(email)), None) if email else None


def _account_by_email(person: Person, brand: Brand) -> Known | MustSignIn:
    email = address_in(person.email)
    existing = user_with_email(email)
    if existing is not None:
        return MustSignIn(existing)
    user = User.objects.create_user(
        email,
        name=person.name,
        phone=person.phone,
        language=get_language() or "",
        accepted_terms=accepted_now(brand),
    )
    insert([AltegioIdentity(user=user, altegio_user_id=person.altegio_user_id)])
    give_signed(user, person.altegio_user_id)
    return Known(user, is_new=True)


def _unless_closed(user: User) -> Known | MustSignIn:
    return MustSignIn(user) if user.is_staff or not user.is_active else Known(user)


def opens_to_reader(arrival: Arrival, user: User) -> bool:
    """Return whether an e-mail to the address of `user` may lead to this arrival: its reader may act once in."""
    if arrival.user_id is not None:
        return arrival.user_id == user.pk
    return not arrival.claim or expects(arrival, user)


def may_act(arrival: Arrival, user: User) -> bool:
    """Return whether `user` may sign in on this arrival: only its person, or anybody while it waits for nobody.

    Every way in (form, one click, e-mail) checks this under the arrival's lock. An arrival that expects an address is
    for those alone who have proven it: another person may have got an account under it.
    """
    if arrival.user_id is not None:
        return arrival.user_id == user.pk
    return not arrival.claim or waits_for(arrival, user)


def user_who_came_for(user: User, arrival: Arrival) -> int | None:
    """Return the number of the Altegio user whom signing in on the arrival links to the account of `user`, or None.

    The arrival must be claimed by that user's signature alone and wait for the account's address. One that had a
    person before waits for whoever has taken the account over from them: it links nobody.
    """
    number = arrival.altegio_user_id
    return number if number is not None and arrival.claim == f"a:{number}" and expects(arrival, user) else None


def user_to_be_linked(arrival: Arrival, user: User) -> str:
    """Return the number of the Altegio user whom opening the arrival's e-mail links to the account; "" if none.

    The reader must know: from then on that user opens the account's pages within Altegio.
    """
    number = user_who_came_for(user, arrival)
    if number is None:
        return ""
    linked = AltegioIdentity.objects.filter(altegio_user_id=number).first()
    is_free = linked is None or (linked.user_id == user.pk and begins_anew(arrival, user))
    return str(number) if is_free else ""


def begins_anew(arrival: Arrival, user: User) -> bool:
    """Return whether opening the arrival's e-mail takes over the account of `user` for whoever reads its mail.

    It does if the address was never proven, or if whoever came does not know the account: they signed up anew, or
    Altegio signed somebody who is not linked to it.
    """
    if not has_proven_address(user):
        return True
    if arrival.user_id is not None or not expects(arrival, user):
        return False
    number = arrival.altegio_user_id
    return arrival.signed_up or (number is not None and not user.identities.filter(altegio_user_id=number).exists())
