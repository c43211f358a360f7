"""Celery tasks of billing."""

from celery import shared_task

from billing.figures.months import count_due_months
from billing.figures.weekly import mail_week
from billing.period_ends import note_ends
from billing.subscriptions import mail_digest, refresh_tariffs
from billing.trials import follow_changed_trials
from partner_portal.core.queues import run_steps


@shared_task
def watch_subscriptions() -> None:
    """Fetch tariffs and, once a day, queue the digest for staff; runs each hour."""
    run_steps(refresh_tariffs, mail_digest)


@shared_task
def watch_periods() -> None:
    """Follow changed trial days, and note trials and periods that end soon or have ended; runs each minute."""
    run_steps(follow_changed_trials, note_ends)


@shared_task
def count_figures() -> None:
    """Count the months whose figures are due and, on Monday, queue the weekly e-mail; runs every few minutes."""
    run_steps(count_due_months, mail_week)
