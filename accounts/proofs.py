"""Proofs of who somebody is: what each of them opens, and what ends when it is given anew.

| what opens an account | since when |
|---|---|
| a password | once the account's address is proven; staff's, always: an administrator gave it |
| a link in an e-mail to its address | always; that is the proof |
| Altegio's signature of a linked user | once linked: by the owner, who has just shown one of the two above |

Whoever proves an address for the first time, or takes the account back by it, may be another person than the one who
had it so far, so everything that opened it ends (`take_over`). Every way to sign in calls these functions.
"""

from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.signals import post_delete
from django.dispatch import Signal, receiver
from django.utils import timezone

from accounts.emails import queue_email
from accounts.models import AltegioIdentity, User
from accounts.sessions import sign_out_everywhere
from accounts.signals import person_changed

# Arguments: `user`, and `was_proven`, whether the address had been proven before. Sent inside the transaction.
taken_over = Signal()


def has_proven_address(user: User) -> bool:
    """Return whether a link that was sent to the account's present address has been opened."""
    return user.email_proven_at is not None


def is_known(user: User) -> bool:
    """Return whether the account's holder is known: they proved its address, or came by Altegio's signature."""
    return has_proven_address(user) or User.objects.known().filter(pk=user.pk).exists()


def opens_by_password(user: User) -> bool:
    """Return whether the right password opens this account."""
    return user.is_staff or has_proven_address(user)


@transaction.atomic
def take_over(user: User, *, password: str = "", keeps_password: bool = False) -> None:
    """Give the account to whoever opened a link sent to its address; everything else that opened it ends.

    That is the password, the linked Altegio users, every session and frame token, and a requested change of address.
    `password` is a new one that the owner has just chosen; `keeps_password` says that they are known to have chosen
    the present one.
    """
    # Locked first: whoever links an Altegio user at this moment has finished, or finds the account changed.
    was_proven = has_proven_address(User.objects.select_for_update(no_key=True).get(pk=user.pk))
    user.identities.all().delete()
    if password or not keeps_password:
        user.set_password(password or None)
    user.email_proven_at, user.pending_email = timezone.now(), None
    user.save(update_fields=["password", "email_proven_at", "pending_email"])
    sign_out_everywhere(user)
    taken_over.send(sender=User, user=user, was_proven=was_proven)


@transaction.atomic
def address_given(user: User) -> None:
    """Reset what opened the account after others than its person set the address: only an e-mail there opens it."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    user.identities.all().delete()
    user.email_proven_at = user.pending_email = None
    user.save(update_fields=["email_proven_at", "pending_email"])
    sign_out_everywhere(user)


@transaction.atomic
def made_staff(user: User) -> None:
    """End what the new member of staff, or whoever signed up under their address, had as an owner.

    An administrator sets the password: only one that an administrator gave may always open the account.
    """
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    user.identities.all().delete()
    user.set_unusable_password()
    user.pending_email = None
    user.save(update_fields=["password", "pending_email"])
    sign_out_everywhere(user)


def link_altegio_user(user: User, altegio_user_id: int) -> bool:
    """Let Altegio's signature of this user open the account from now on; notify the owner by e-mail.

    Call it only where the owner has just proven who they are. Returns False if the user is linked to another account,
    which they stay linked to.
    """
    identity, is_new = AltegioIdentity.objects.get_or_create(altegio_user_id=altegio_user_id, defaults={"user": user})
    if is_new:
        person_changed.send(sender=User, user=user)
        queue_email("altegio_user_linked", user, key=f"linked:{identity.pk}", number=altegio_user_id)
    return identity.user_id == user.pk


@receiver(post_delete, sender=AltegioIdentity)
def end_frame_tokens(instance: AltegioIdentity, **_: Any) -> None:
    """End every session after an unlink: frame tokens do not say by which link they were given."""
    User.objects.filter(pk=instance.user_id).update(session_epoch=F("session_epoch") + 1)
    person_changed.send(sender=User, user=instance.user)
