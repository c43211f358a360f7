"""Celery tasks of entity events and their deliveries."""

from celery import shared_task

from integrations.webhooks import fan_out as fanning_out
from integrations.webhooks.deliver import clear_ended_alerts, deliver_due


@shared_task
def fan_out() -> None:
    """Put stored events into batches."""
    fanning_out.fan_out()


@shared_task
def deliver() -> None:
    """Try every delivery that is due."""
    deliver_due()


@shared_task
def clear_alerts() -> None:
    """Clear the alerts about consumers that work again; runs each minute."""
    clear_ended_alerts()
