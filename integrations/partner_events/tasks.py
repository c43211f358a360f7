"""Celery tasks of the events for the partner's systems."""

from celery import shared_task

from integrations.partner_events import fan_out as fanning_out
from integrations.partner_events.deliver import deliver_due


@shared_task
def fan_out() -> None:
    """Give events their positions and deliveries."""
    fanning_out.fan_out()


@shared_task
def deliver() -> None:
    """Try every delivery that is due."""
    deliver_due()
