"""Celery's door to the message statuses."""

from celery import shared_task

from integrations.messaging.ingest import relay_what_was_left
from integrations.messaging.volumes import count_volumes
from partner_portal.core.queues import run_steps


@shared_task
def follow_statuses() -> None:
    """Each half minute: count what came, and relay what was left behind."""
    run_steps(count_volumes, relay_what_was_left)
