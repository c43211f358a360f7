"""Celery's door to telephony."""

from celery import shared_task

from integrations.telephony.switched_off import settle_kept


@shared_task
def settle_kept_calls() -> None:
    """Each minute: send or end the calls that were kept while a chain's telephony was off."""
    settle_kept()
