"""Texts about payments and subscriptions, as owners read them."""

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.models import PaymentStatus, TariffOption
from integrations.connections.models import Connection, State
from partner_portal.core import formats

# An owner's payment by its status; the colours are those of the locations' states.
STATUS_WORDS = {
    PaymentStatus.QUEUED: gettext_lazy("Being recorded"),
    PaymentStatus.REPORTED: gettext_lazy("Paid"),
    PaymentStatus.FAILED: gettext_lazy("Not recorded"),
    PaymentStatus.REFUND_QUEUED: gettext_lazy("Being refunded"),
    PaymentStatus.REFUNDED: gettext_lazy("Refunded"),
    PaymentStatus.CANCELLED: gettext_lazy("Cancelled"),
}
STATUS_ADVICE = {
    PaymentStatus.QUEUED: gettext_lazy("Altegio is being told."),
    PaymentStatus.FAILED: gettext_lazy("Altegio has not taken it over yet. Our staff look into it."),
    PaymentStatus.REFUND_QUEUED: gettext_lazy("Altegio is being told."),
}
STATUS_TONES = {
    PaymentStatus.QUEUED: "pending",
    PaymentStatus.REPORTED: "active",
    PaymentStatus.FAILED: "failed",
    PaymentStatus.REFUND_QUEUED: "pending",
    PaymentStatus.REFUNDED: "frozen",
    PaymentStatus.CANCELLED: "off",
}


def is_due(connection: Connection) -> bool:
    """Return whether the trial or paid period has ended without a payment since, or Altegio has frozen it."""
    return connection.state == State.FROZEN or _has_ended(connection)


def _has_ended(connection: Connection) -> bool:
    return connection.next_payment_at is not None and connection.next_payment_at <= timezone.now()


def why_it_ended(connection: Connection) -> str:
    """Return a sentence about the trial or period that has ended; "" if none has."""
    due, paid = connection.next_payment_at, connection.paid_until
    if due is None or due > timezone.now():
        return ""
    if due == paid:
        return _("The paid period ended on %(day)s.") % {"day": formats.day(due)}
    return _("The free trial ended on %(day)s.") % {"day": formats.day(due)}


def standing(connection: Connection) -> str:
    """Return until when it is paid, in a sentence or two; "" if its state says enough."""
    if connection.state == State.FROZEN:
        return _standing_of_frozen(connection)
    now = timezone.now()
    paid, trial, due = connection.paid_until, connection.trial_ends_at, connection.next_payment_at
    if paid is not None and paid > now:
        return _("Paid until %(day)s.") % {"day": formats.day(paid)}
    if trial is not None and trial > now:
        return _("Free trial until %(day)s.") % {"day": formats.day(trial)}
    if due is not None and due <= now:
        return _("Not paid since %(day)s. Without a payment Altegio switches the integration off.") % {
            "day": formats.day(due)
        }
    return _("No payment is expected yet.")


def _standing_of_frozen(connection: Connection) -> str:
    """Return the text for a frozen connection: Altegio has stopped it, so it never reads as free or paid alone."""
    now, paid, trial = timezone.now(), connection.paid_until, connection.trial_ends_at
    if paid is not None and paid > now:
        return _("Paid until %(day)s, but Altegio has not switched it on again yet.") % {"day": formats.day(paid)}
    if trial is not None and trial > now:
        return _("Altegio asks for a payment before the end of the trial.")
    if connection.next_payment_at is None:
        return ""
    return _("Not paid since %(day)s.") % {"day": formats.day(connection.next_payment_at)}


def option_name(option: TariffOption) -> str:
    """Return the name of a tariff option, with its price."""
    price = "" if option.price is None else formats.money(option.price, option.currency)
    free = _("free months: %(count)s") % {"count": option.free_months} if option.free_months else ""
    staff = _("staff members: %(count)s") % {"count": option.staff_amount} if option.staff_amount else ""
    return " · ".join(part for part in (option.tariff_title, option.title, price, free, staff) if part)
