"""Changing one's e-mail address: nothing changes before the new address has confirmed it."""

from typing import Any

from django.db import IntegrityError, transaction
from django.dispatch import Signal
from django.utils import timezone

from accounts.letters import letter_builder, queue_letter, reader_of
from accounts.limits import LETTERS_TO_ONE, Limit
from accounts.links import link_for, state_of
from accounts.models import User
from accounts.proofs import take_over

# `user`: sent inside the transaction, for what shows the address elsewhere.
address_changed = Signal()
ADDRESS_WISHES = Limit("address-wishes", 5, 3600)


class AddressTaken(Exception):
    """Another account has got the address in the meantime."""


class WishEnded(Exception):
    """The owner has taken the wish back, or left, at the same moment."""


@transaction.atomic
def ask_for_address(user: User, email: str) -> None:
    """Send a letter to the new address. The owner sees the same whether it has an account or not."""
    user.wanted_email = email
    user.save(update_fields=["wanted_email"])
    if LETTERS_TO_ONE.hit(email.lower()):
        return
    key = f"{user.pk}:{timezone.now():%Y%m%d%H%M%S%f}"
    other = User.objects.with_email(email).exclude(pk=user.pk).first()
    if other is None:
        queue_letter("email_confirm", user, to=email, key=f"email-confirm:{key}", state=state_of(user))
    else:
        queue_letter("email_taken", other, to=email, key=f"email-taken:{key}")


def forget_wish(user: User) -> None:
    """The owner keeps the address they have; links that were sent end."""
    user.wanted_email = None
    user.save(update_fields=["wanted_email"])


def take_address(user: User, *, is_owner: bool, password: str = "") -> None:
    """The new address has confirmed: it counts from now on, and the old one is told.

    `user` as its link was opened; `is_owner`: by who is signed in to the account, too. Else whoever reads the
    mail there takes the account over, with `password`. Raises AddressTaken, and WishEnded where the account
    has changed since.
    """
    old, new = user.email, user.wanted_email
    as_opened = User.objects.filter(pk=user.pk, email=old, wanted_email=new, password=user.password, is_active=True)
    try:
        with transaction.atomic():
            if not as_opened.update(email=new, wanted_email=None, email_proven_at=timezone.now()):
                raise WishEnded
            address_changed.send(sender=User, user=user)
            if old:
                key = f"email-changed:{user.pk}:{timezone.now():%Y%m%d%H%M%S%f}"
                queue_letter("email_changed", user, to=old, key=key)
            if not is_owner:
                take_over(user, password=password)
    except IntegrityError as error:
        raise AddressTaken from error
    user.email, user.wanted_email = new, None


@letter_builder("email_confirm")
def with_confirming_link(params: dict[str, Any]) -> dict[str, Any]:
    """The letter's link, made at the moment of sending. Whoever reads that mail is not known yet: no name."""
    return {"link": link_for(reader_of(params), "email", "accounts:email-confirm", state=params["state"])}
