"""Changing one's e-mail address: nothing changes before the new address has confirmed it."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.confirmation_links import link_for, state_of
from accounts.emails import EMAIL_CONTEXTS, queue_email, reader_of
from accounts.limits import Limit, wait_to_write
from accounts.models import User
from accounts.proofs import take_over
from accounts.signals import person_changed

ADDRESS_WISHES = Limit("address-wishes", 5, 3600)


class AddressTakenError(Exception):
    """Another account has got the address in the meantime."""


class EmailChangeCancelledError(Exception):
    """The owner has taken the wish back, or left, at the same moment."""


@transaction.atomic
def request_email_change(user: User, email: str) -> int:
    """Send an e-mail to the new address. The owner sees the same whether it has an account or not.

    Returns the seconds to wait, and changes nothing, where too many want it to be theirs.
    """
    if wait := wait_to_write("email_change", email, f"account:{user.pk}"):
        return wait
    user.pending_email = email
    user.save(update_fields=["pending_email"])
    key = f"{user.pk}:{timezone.now():%Y%m%d%H%M%S%f}"
    other = User.objects.with_email(email).exclude(pk=user.pk).first()
    if other is None:
        queue_email("email_confirm", user, to=email, key=f"email-confirm:{key}", state=state_of(user))
    else:
        queue_email("email_taken", other, to=email, key=f"email-taken:{key}")
    return 0


def cancel_email_change(user: User) -> None:
    """Keep the owner's present address; links that were sent to another one end."""
    user.pending_email = None
    user.save(update_fields=["pending_email"])


def take_address(user: User, *, is_owner: bool, password: str = "") -> None:
    """Make the confirmed new address the account's, and write to the old one.

    `user` as its link was opened; `is_owner`: by who is signed in to the account, too. Else whoever reads the
    mail there takes the account over, with `password`. Raises AddressTakenError, and EmailChangeCancelledError where
    the account has changed since.
    """
    old, new = user.email, user.pending_email
    as_opened = User.objects.filter(pk=user.pk, email=old, pending_email=new, password=user.password, is_active=True)
    try:
        with transaction.atomic():
            if not as_opened.update(email=new, pending_email=None, email_proven_at=timezone.now()):
                raise EmailChangeCancelledError
            person_changed.send(sender=User, user=user)
            if old:
                key = f"email-changed:{user.pk}:{timezone.now():%Y%m%d%H%M%S%f}"
                queue_email("email_changed", user, to=old, key=key)
            if not is_owner:
                take_over(user, password=password)
    except IntegrityError as error:
        raise AddressTakenError from error
    user.email, user.pending_email = new, None


@EMAIL_CONTEXTS.add("email_confirm")
def with_confirming_link(params: dict[str, Any]) -> dict[str, Any]:
    """The e-mail's link, made at the moment of sending. Whoever reads that mail is not known yet: no name."""
    return {"link": link_for(reader_of(params), "email", "accounts:email-confirm", state=params["state"])}
