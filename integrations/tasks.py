"""What Celery finds of the marketplace: thin doors, each to one function that holds the work."""

from celery import shared_task

from integrations.alarms.raising import mail_alarms
from integrations.alarms.receivers import clear_when_the_token_works, tell_of_mail_trouble
from integrations.alarms.window import warn_of_late_activations
from integrations.dashboard.days import sum_ended_days
from integrations.events.delivering import clear_ended_alarms, deliver_due
from integrations.events.handing_on import hand_on
from integrations.lifecycle.processing import process_waiting
from integrations.outbox.tasks import pump, sweep  # noqa: F401 - Celery finds them here
from integrations.reconcile.doubts import ask_about_doubtful
from integrations.reconcile.models import Reconciliation
from integrations.reconcile.runs import start_run
from integrations.sender_names.names import withdraw_run_out
from integrations.sms.taking import relay_what_was_left
from integrations.sms.volumes import count_volumes
from partner_portal.queues import forget_what_works_again, run_steps
from partner_portal.watch import heal_stranded


@shared_task
def watch() -> None:
    """Every few seconds: warn staff while there is still time."""
    run_steps(warn_of_late_activations, mail_alarms)


@shared_task
def watch_states() -> None:
    """Each minute: what nothing waits for, what failed and works again, and the alarms whose cause is gone."""
    run_steps(
        heal_stranded,
        forget_what_works_again,
        tell_of_mail_trouble,
        clear_when_the_token_works,
        clear_ended_alarms,
    )


@shared_task
def sum_days() -> None:
    """Now and then: count for the first page what the days that are over held."""
    sum_ended_days()


@shared_task
def process_callbacks() -> None:
    """Look at every stored callback."""
    process_waiting()


@shared_task
def hand_events_on() -> None:
    """Put stored events into batches."""
    hand_on()


@shared_task
def deliver_events() -> None:
    """Try every delivery that is due."""
    deliver_due()


@shared_task
def ask_doubtful() -> None:
    """Every few minutes: ask about the connections whose state is in doubt."""
    ask_about_doubtful()


@shared_task
def reconcile() -> None:
    """Every night: compare every connection with Altegio."""
    start_run(Reconciliation.Trigger.NIGHTLY)


@shared_task
def watch_sender_names() -> None:
    """Each minute: withdraw the sender names whose time is over."""
    withdraw_run_out()


@shared_task
def watch_statuses() -> None:
    """Each half minute: count what came, and relay what was left behind."""
    run_steps(count_volumes, relay_what_was_left)
