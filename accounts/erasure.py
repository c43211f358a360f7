"""Erasure of a person: nothing that identifies them is left, while what was done and paid stays.

The account stays as an empty row, so that connections, payments and the record of changes keep what they refer to.
Data about a person refers to the account and does not name them, so a former address or a colleague's note needs no
search. What other features know of the person is erased through `person_erased`, in the same transaction.
"""

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Lower
from django.dispatch import Signal
from django.utils import timezone

from accounts.models import Authenticator, Customer, OutgoingEmail, User
from partner_portal.core.english import english as _
from partner_portal.core.transaction_lock import lock_work

# Arguments: `user` (already emptied), `email`, the address that it had ("" for none), and `altegio_user_ids`, the set
# of linked ones. Sent inside the transaction.
person_erased = Signal()


class CannotEraseError(Exception):
    """Raised when this account may not be erased as it is; `str()` says why, in plain words."""


@transaction.atomic
def erase_person(user: User) -> None:
    """Empty everything personal about `user`, for good. `user` itself is emptied too.

    Raises CannotEraseError for staff: their rights must be taken away first, so that nobody erases a colleague, or
    the last administrator, by mistake.
    """
    # One at a time: what names two people is read and written whole, and two would write each other back.
    lock_work("erasure")
    locked = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if locked.is_staff or locked.is_superuser:
        raise CannotEraseError(_("%(user)s is staff. Take the staff rights away first.") % {"user": locked})
    email, altegio_user_ids = locked.email or "", set(locked.identities.values_list("altegio_user_id", flat=True))
    emails_of(locked).delete()
    _customer_of(locked).delete()
    _blot_history(locked)
    locked.identities.all().delete()
    Authenticator.objects.filter(user=locked).delete()
    locked.groups.clear()
    locked.user_permissions.clear()
    locked.email, locked.name, locked.phone, locked.language = None, "", "", ""
    locked.pending_email, locked.is_active, locked.last_login, locked.email_proven_at = None, False, None, None
    locked.accepted_terms, locked.erased_at = [], timezone.now()
    locked.set_unusable_password()  # ends every session and every link that was sent
    locked.save()
    person_erased.send(sender=User, user=locked, email=email, altegio_user_ids=altegio_user_ids)
    user.refresh_from_db()


def emails_of(user: User) -> QuerySet[OutgoingEmail]:
    """Return the person's e-mails, whatever address they went to, and waiting ones that were requested for theirs."""
    theirs = Q(person=user)
    if user.email:
        theirs |= Q(person=None, _address=Lower(Value(user.email)))
    return OutgoingEmail.objects.alias(_address=Lower("to")).filter(theirs)


def _customer_of(user: User) -> QuerySet[Customer]:
    """Return the customer whom the partner knows by this account, or under its address."""
    theirs = Q(user=user)
    if user.email:
        theirs |= Q(user=None, _address=Lower(Value(user.email)))
    return Customer.objects.alias(_address=Lower("email")).filter(theirs)


def _blot_history(user: User) -> None:
    """Empty the texts in the admin's history of the account; the kind of change, its time and its author stay."""
    content_type = ContentType.objects.get_for_model(User)
    entries = LogEntry.objects.filter(content_type=content_type, object_id=str(user.pk))
    entries.update(object_repr=f"#{user.pk}", change_message="")
