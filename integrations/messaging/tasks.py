"""Celery tasks for messages and their statuses."""

from celery import shared_task

from integrations.messaging.ingest import relay_what_was_left
from integrations.messaging.message_ends import end_unanswered, watch_the_gateway
from integrations.messaging.message_feed import place_waiting
from integrations.messaging.volumes import count_volumes
from partner_portal.core.queues import run_steps


@shared_task
def follow_statuses() -> None:
    """Count new statuses, relay those left behind, end unanswered messages, watch the gateway; each half minute."""
    run_steps(count_volumes, relay_what_was_left, end_unanswered, watch_the_gateway)


@shared_task
def place_messages() -> None:
    """Give new messages their position in the feed, and notify the partner's systems of them."""
    while place_waiting():
        pass
