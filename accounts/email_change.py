"""Change of one's e-mail address, which takes effect only once the new address has confirmed it."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.confirmation_links import link_for, state_of
from accounts.email_rendering import EMAIL_CONTEXTS
from accounts.emails import queue_email, reader_of
from accounts.limits import Limit, wait_to_write
from accounts.models import User
from accounts.proofs import take_over
from accounts.signals import person_changed

ADDRESS_WISHES = Limit("address-wishes", 5, 3600)


class AddressTakenError(Exception):
    """Raised when another account has got the address in the meantime."""


class EmailChangeCancelledError(Exception):
    """Raised when the owner has cancelled the change, or left, at the same moment."""


@transaction.atomic
def request_email_change(user: User, email: str) -> int:
    """Send an e-mail to the new address; the owner sees the same whether it has an account or not.

    Returns the seconds to wait, and changes nothing, if too many e-mails were requested for the address; else 0.
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
    """Keep the owner's present address, and end the links that were sent to another one."""
    user.pending_email = None
    user.save(update_fields=["pending_email"])


def take_address(user: User, *, is_owner: bool, password: str = "") -> None:
    """Make the confirmed new address the account's, and write to the old one.

    `user` is the account as its link was opened; `is_owner` says whether they are also signed in to the account.
    If not, whoever reads the mail at the new address takes the account over, with `password`. Raises
    AddressTakenError, and EmailChangeCancelledError if the account has changed since.
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
    """Return the e-mail's link, made when it is sent, and no name: the reader of that mail is not known yet."""
    return {"link": link_for(reader_of(params), "email", "accounts:email-confirm", state=params["state"])}
