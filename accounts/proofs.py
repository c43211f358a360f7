"""Who somebody is: what proves it, what that opens, and what ends when it is proven anew.

| what opens an account | since when |
|---|---|
| a password | once the account's address is proven; staff's, always: an administrator gave it |
| a link in an e-mail to its address | always; that is the proof |
| Altegio's signature of a linked user | once linked: by the owner, who has just shown one of the two above |

Whoever proves an address for the first time, or takes the account back by it, may be another person than
who had the account so far. So all that opened it ends (`take_over`). Every door calls these functions.
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

# `user`, and `was_proven`: whether the address had been proven before. Sent inside the transaction.
taken_over = Signal()


def has_proven_address(user: User) -> bool:
    """Return whether a link that was sent to the account's present address has been opened."""
    return user.email_proven_at is not None


def is_known(user: User) -> bool:
    """Whether it is known who has the account: they have proven its address, or came by Altegio's signature."""
    return has_proven_address(user) or User.objects.known().filter(pk=user.pk).exists()


def opens_by_password(user: User) -> bool:
    """Return whether the right password opens this account."""
    return user.is_staff or has_proven_address(user)


@transaction.atomic
def take_over(user: User, *, password: str = "", keeps_password: bool = False) -> None:
    """Give the account to whoever opened a link sent to its address; all else that opened it ends.

    The password (unless the owner has just chosen it: `password`, or it is known that they did before:
    `keeps_password`), the linked Altegio users, every session and pass of the frame, a wish for another address.
    """
    # Locked first: who is linking an Altegio user at this moment has done so, or finds the account changed.
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
    """Others than its person wrote another address: nothing opens the account but an e-mail that goes there."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    user.identities.all().delete()
    user.email_proven_at = user.pending_email = None
    user.save(update_fields=["email_proven_at", "pending_email"])
    sign_out_everywhere(user)


@transaction.atomic
def made_staff(user: User) -> None:
    """End what the new member of staff, or who signed up under their address, had as an owner.

    An administrator gives the password; only of one that an administrator gave may be said that it always opens.
    """
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    user.identities.all().delete()
    user.set_unusable_password()
    user.pending_email = None
    user.save(update_fields=["password", "pending_email"])
    sign_out_everywhere(user)


def link_altegio_user(user: User, altegio_user_id: int) -> bool:
    """From now on Altegio's signature of this user opens the account; its owner is told by e-mail.

    To be called where the owner has just proven who they are. A user who is linked elsewhere stays there: False.
    """
    identity, is_new = AltegioIdentity.objects.get_or_create(altegio_user_id=altegio_user_id, defaults={"user": user})
    if is_new:
        person_changed.send(sender=User, user=user)
        queue_email("altegio_user_linked", user, key=f"linked:{identity.pk}", number=altegio_user_id)
    return identity.user_id == user.pk


@receiver(post_delete, sender=AltegioIdentity)
def end_frame_tokens(instance: AltegioIdentity, **_: Any) -> None:
    """Whoever was let in by the link is out: frame tokens do not say by which link they were given."""
    User.objects.filter(pk=instance.user_id).update(session_epoch=F("session_epoch") + 1)
    person_changed.send(sender=User, user=instance.user)
