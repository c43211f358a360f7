"""Celery tasks of telephony."""

from celery import shared_task

from integrations.telephony.switched_off import settle_kept


@shared_task
def settle_kept_calls() -> None:
    """Send or fail the calls that were kept while a chain's telephony was off; runs each minute."""
    settle_kept()
