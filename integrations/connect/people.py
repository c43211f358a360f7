"""Who is it: from a signed person, a sign-up or a sign-in to a portal account (ALTEGIO.md §1).

A signature proves who the person is at Altegio. It never opens an account that was made in the portal
under the same e-mail address: its owner signs in once and is linked. It never opens a staff account.
"""

from dataclasses import dataclass

from django.db import IntegrityError, transaction

from accounts.models import AltegioIdentity, User
from integrations.altegio.signatures import Person
from integrations.connect.models import Arrival


@dataclass(frozen=True)
class Known:
    """The signed person's account."""

    user: User


@dataclass(frozen=True)
class MustSignIn:
    """An account that the signature alone does not open."""

    expected: User


def account_of(person: Person) -> Known | MustSignIn:
    """The signed person's account, found by the Altegio user id or made."""
    identity = AltegioIdentity.objects.select_related("user").filter(altegio_user_id=person.altegio_user_id).first()
    if identity is None:
        return _account_by_email(person)
    return _unless_closed(identity.user)


def user_with_email(email: str) -> User | None:
    """The account under this address; addresses compare without case."""
    return User.objects.with_email(email).first() if email else None


def _account_by_email(person: Person) -> Known | MustSignIn:
    email = person.email if "@" in person.email else ""
    existing = user_with_email(email)
    if existing is not None:
        return MustSignIn(existing)
    try:
        with transaction.atomic():
            user = User.objects.create_user(email, name=person.name, phone=person.phone)
            AltegioIdentity.objects.create(user=user, altegio_user_id=person.altegio_user_id)
    except IntegrityError:
        # The same person arrived twice at once, or the address was taken in between: look again.
        identity = AltegioIdentity.objects.select_related("user").filter(altegio_user_id=person.altegio_user_id)
        if (found := identity.first()) is not None:
            return _unless_closed(found.user)
        return MustSignIn(User.objects.with_email(email).get())
    return Known(user)


def _unless_closed(user: User) -> Known | MustSignIn:
    return MustSignIn(user) if user.is_staff or not user.is_active else Known(user)


def is_new_to(arrival: Arrival, user: User) -> bool:
    """Whether whoever came with `arrival` did not know of the account under their address.

    They signed up anew, or Altegio signed somebody who is not linked to it. Then the account's password may
    be that of a stranger who signed up with their address before them.
    """
    if arrival.user_id is not None or arrival.expected_user_id != user.pk:
        return False
    identity = arrival.altegio_user_id
    return arrival.signed_up or (
        identity is not None and not user.identities.filter(altegio_user_id=identity).exists()
    )


def end_password(user: User) -> None:
    """Nobody signs in with the account's password any more, and whoever did is signed out."""
    user.set_unusable_password()
    user.save(update_fields=["password"])


def link_identity(user: User, altegio_user_id: int) -> None:
    """The owner of `user` has signed in on an arrival of this Altegio user: from now on they are one."""
    AltegioIdentity.objects.get_or_create(altegio_user_id=altegio_user_id, defaults={"user": user})
