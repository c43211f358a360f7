"""What Celery finds of billing."""

from celery import shared_task

from billing.figures.months import count_due_months
from billing.figures.weekly import mail_week
from billing.period_ends import note_ends
from billing.subscriptions import mail_digest, refresh_tariffs
from billing.trials import follow_changed_trials
from partner_portal.core.queues import run_steps


@shared_task
def watch_subscriptions() -> None:
    """Each hour: what is new of tariffs, and once a day the digest for staff."""
    run_steps(refresh_tariffs, mail_digest)


@shared_task
def watch_periods() -> None:
    """Each minute: which trials have other days, which trials and periods end soon, and which have ended."""
    run_steps(follow_changed_trials, note_ends)


@shared_task
def count_figures() -> None:
    """Every few minutes: the figures of the months that are due, and on Monday the e-mail about the week."""
    run_steps(count_due_months, mail_week)
