"""Events about payments, in the JSON of the API (docs/interface.md)."""

from typing import Any

from django.db.models.signals import post_save
from django.dispatch import receiver

from billing.api.payments import PaymentSerializer
from billing.models import Payment, PaymentStatus, Source
from integrations.partner_events import types
from integrations.partner_events.publish import NewEvent, publish

_TYPES = {
    PaymentStatus.REPORTED: types.PAYMENT_REPORTED,
    PaymentStatus.FAILED: types.PAYMENT_FAILED,
    PaymentStatus.REFUNDED: types.PAYMENT_REFUNDED,
}


@receiver(post_save, sender=Payment)
def publish_status(
    instance: Payment, *, created: bool, update_fields: frozenset[str] | None = None, **_: Any
) -> None:
    """Publish each new status of a payment to the partner's systems, in the transaction that writes it."""
    if not created and "status" not in (update_fields or ()):
        return
    kind = _TYPES.get(PaymentStatus(instance.status))
    if created and instance.source == Source.ALTEGIO:
        kind = types.PAYMENT_COLLECTED
    if kind is not None:
        data = {"payment": PaymentSerializer(instance).data}
        publish([NewEvent(kind, instance.application_id, data, connection_id=instance.connection_id)])
