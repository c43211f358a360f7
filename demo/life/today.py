"""The open cases of staff: refused, disputed, running out of time, unfinished, unknown; and what staff did."""

from datetime import timedelta
from io import StringIO

from django.core.management import call_command
from django.urls import reverse

from demo.life.doors import visit
from demo.life.plan import DAY, SMS, Business
from demo.life.stage import Stage, wait_until
from integrations.alerts.models import Alert

MINUTE = timedelta(minutes=1)
NOTES = (
    "Called: the owner asks for an invoice with their VAT number. Sent by e-mail.",
    "Will move to the yearly tariff next month.",
    "Two more locations open in spring.\nThe accountant, not the owner, answers the phone.",
    "Wants to know why messages to Kazakhstan cost more. Explained.",
)


def pass_by(stage: Stage) -> None:
    """Play all of it, each case at its hour."""
    adopt(stage)
    for business in stage.plan.refused:
        _refused(stage, business)
    for business in stage.plan.unfinished:
        # Without signed data the portal shows a form first, which they left.
        visit(stage.altegio.consent(list(business.salon_ids), SMS, None))
    for business in stage.plan.stuck:
        stage.altegio.does_not_answer(business.salon_ids[0])
    ages = ((stage.plan.expired, 70 * MINUTE), (stage.plan.late, 50 * MINUTE), (stage.plan.disputed, 20 * MINUTE))
    for group, ago in ages:
        for business in group:
            _arrive(stage, business, business.user_id, ago)
    for business in stage.plan.disputed:
        rival = stage.plan.arrivals[0].business.user_id
        _arrive(stage, business, rival, 20 * MINUTE)
    for story in stage.stories(SMS)[:3]:
        stage.altegio.tell("events", salon_id=story.place[1])
    wait_until(stage.is_at_rest)
    write_notes(stage)
    clear_old_alerts(stage)


def adopt(stage: Stage) -> None:
    """Connect some locations before the portal and adopt them, then connect some that nobody has looked at yet."""
    for business in stage.plan.adopted:
        stage.chronicle.turn([(SMS, business.salon_ids[0])], 30 * DAY)
        stage.altegio.tell("connect_elsewhere", salon_id=business.salon_ids[0], application_id=SMS)
    call_command("adopt_connections", application=SMS, stdout=StringIO())
    for business in stage.plan.unknown:
        stage.altegio.tell("connect_elsewhere", salon_id=business.salon_ids[0], application_id=SMS)


def _arrive(stage: Stage, business: Business, user_id: int, ago: timedelta) -> None:
    stage.chronicle.turn([(SMS, business.salon_ids[0])], ago)
    stage.altegio.press_connect(list(business.salon_ids), SMS, user_id)


def _refused(stage: Stage, business: Business) -> None:
    """Arrive by a link whose consent was taken back at Altegio."""
    place = (SMS, business.salon_ids[0])
    stage.chronicle.turn([place], DAY * (1 + business.user_id % 5))
    address = stage.altegio.consent(list(business.salon_ids), SMS, business.user_id)
    stage.at_altegio("uninstall", place)
    visit(address)


def write_notes(stage: Stage) -> None:
    """Write notes, as staff do after telephone calls."""
    known = stage.connections()
    for story, text in zip(stage.stories(SMS), NOTES, strict=False):
        pk = known[story.place]
        page = reverse("admin:connections_connection_change", args=[pk])
        stage.staff.post(reverse("admin:connections_connection_note", args=[pk]), form=page, text=text)


def clear_old_alerts(stage: Stage) -> None:
    """Clear the alerts of locations that were disconnected days ago, as staff do after calling their owners."""
    known = stage.connections()
    gone = [known[story.place] for story in stage.plan.stories if story.left is not None and story.left > 3 * DAY]
    old = Alert.objects.open().filter(kind=Alert.Kind.ENDED, connection__in=gone)
    chosen = list(old.values_list("pk", flat=True))
    if chosen:
        stage.staff.post(
            reverse("admin:alerts_alert_changelist"), action="clear", confirmed="yes", _selected_action=chosen
        )
