"""The alert that a visit waits for an account in which no owner can sign in; it ends when one can, or never will."""

from collections.abc import Collection
from typing import Any

from django.db.models.signals import post_save
from django.dispatch import receiver

from accounts.models import User
from integrations.alerts.models import Alert
from integrations.alerts.raising import clear_alerts, raise_alert

# The columns that decide whether an owner can sign in.
DECIDING = frozenset({"is_active", "is_staff"})


def _is_shut(user: User) -> bool:
    return user.is_staff or not user.is_active


def tell_if_nobody_signs_in(expected: User) -> None:
    """Alert staff if the arrival expects an account of staff or a closed one: nobody could own what it connects."""
    if _is_shut(expected):
        text = (
            f"Altegio signed an arrival of account #{expected.pk}, in which no owner can sign in: it is staff's, or "
            "closed. So what the arrival connects is nobody's. A closed account: open it again on its page, if its "
            "owner may come back. Staff's: set another address at Altegio. Then press Connect again."
        )
        raise_alert(Alert.Kind.REVIEW, _key(expected), text)


@receiver(post_save, sender=User)
def clear_with_its_cause(
    instance: User, *, created: bool, update_fields: Collection[str] | None = None, **_: Any
) -> None:
    """Clear the alert once the account is open and no staff's, or is erased: then nobody comes back to it."""
    is_decided = update_fields is None or not DECIDING.isdisjoint(update_fields)
    if not created and is_decided and (instance.is_erased or not _is_shut(instance)):
        clear_alerts(key=_key(instance))


def _key(user: User) -> str:
    return f"nobody-signs-in:{user.pk}"
