"""Export of everything the portal holds on a person, for them to take along; no secrets.

Other features add what they know of the person to `PERSONAL_DATA`.
"""

from collections.abc import Callable
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from accounts.erasure import emails_of
from accounts.models import Customer, User
from accounts.terms import terms_accepted_at
from partner_portal.core.extension_points import ExtensionPoint

Export = Callable[[User], Any]
# The values of an export can be written as JSON, dates and decimals too.
PERSONAL_DATA = ExtensionPoint[Export](
    "personal data", "What the portal holds on a person, for them to take along, in a constant number of queries."
)


def export_person(user: User) -> dict[str, Any]:
    """Return all of it by name, in a number of queries that does not grow with the data."""
    return {"exported_at": timezone.now()} | {name: PERSONAL_DATA[name](user) for name in PERSONAL_DATA.names()}


def _account(user: User) -> dict[str, Any]:
    named = ("email", "pending_email", "name", "phone", "language", "joined_at", "last_login")
    return {name: getattr(user, name) for name in named} | {
        "has_password": user.has_usable_password(),
        "terms_accepted_at": terms_accepted_at(user),
        "accepted_terms": user.accepted_terms,
    }


def _identities(user: User) -> list[Any]:
    return list(user.identities.order_by("pk").values("altegio_user_id", "linked_at"))


def _customer(user: User) -> dict[str, Any] | None:
    named = ("external_id", "email", "name", "phone", "language", "created_at", "updated_at")
    known: dict[str, Any] | None = Customer.objects.filter(user=user).values(*named).first()
    return known


def _emails(user: User) -> list[Any]:
    # Not those to an address that was merely requested: that one went there reveals that it has no account.
    sent = emails_of(user).exclude(template="email_confirm").order_by("pk")
    return list(sent.values("template", "to", "language", "created_at", "sent_at"))


def _changes_by_staff(user: User) -> list[dict[str, Any]]:
    entries = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(User), object_id=str(user.pk)
    ).order_by("pk")
    return [{"at": entry.action_time, "what": entry.get_change_message()} for entry in entries]


PERSONAL_DATA.register("account", _account, rank=1)
PERSONAL_DATA.register("altegio_users", _identities, rank=2)
PERSONAL_DATA.register("customer", _customer, rank=2)
PERSONAL_DATA.register("emails", _emails, rank=3)
PERSONAL_DATA.register("changes_by_staff", _changes_by_staff, rank=4)
