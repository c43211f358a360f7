"""When the mail server fails, e-mails wait for a day, none is lost or blamed for it, and nothing else waits."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings
from time_machine import TimeMachineFixture

from accounts import emails
from accounts.emails import queue_email, send_waiting_emails
from accounts.models import OutgoingEmail, User
from integrations.alerts.models import Alert
from integrations.backoffice import health
from partner_portal.core import smtp_backend as backend
from partner_portal.core.models import FailedItem
from tests.accounts.mail_servers import hanging_up_on, mail_server, refusing, silent, trickling
from tests.unkind_server import at_most

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def smtp(settings: Settings) -> Callable[[int], None]:
    """Return a function that sends e-mails to the server at a port."""

    def use(port: int) -> None:
        settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = (
            "partner_portal.core.smtp_backend.EmailBackend",
            "",
            port,
        )
        settings.EMAIL_HOST, settings.EMAIL_TIMEOUT = "127.0.0.1", 1

    return use


def three_emails() -> None:
    for name in ("a", "b", "c"):
        person = User.objects.create_user(f"{name}@example.com", is_staff=True)
        queue_email("staff/alerts", person, key=name, lines=[], more=0, list_url="")


def in_two_hours(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(timezone.now() + timedelta(hours=2))


def test_a_silent_server_costs_one_time_out_and_no_email_an_attempt(
    smtp: Callable[[int], None], time_machine: TimeMachineFixture
) -> None:
    three_emails()
    with mail_server(silent) as port:
        smtp(port)
        with at_most(3):
            assert send_waiting_emails() == 0
            assert send_waiting_emails() == 0, "the server rests"
    assert not FailedItem.objects.filter(queue="outgoing_emails").exists()
    assert OutgoingEmail.objects.exclude(error="").count() == 1


def test_waiting_emails_go_out_when_the_server_is_back(
    smtp: Callable[[int], None], settings: Settings, time_machine: TimeMachineFixture
) -> None:
    three_emails()
    with mail_server(silent) as port:
        smtp(port)
        send_waiting_emails()
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    in_two_hours(time_machine)
    assert send_waiting_emails() == 3
    assert len(mail.outbox) == 3
    assert emails.mail_trouble() is None


def test_a_server_that_trickles_is_hung_up_on(smtp: Callable[[int], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "MAX_CONVERSATION", 2.0)
    three_emails()
    with mail_server(trickling) as port:
        smtp(port)
        with at_most(4):
            assert send_waiting_emails() == 0
    assert emails.mail_trouble() is not None


def test_one_refused_address_stops_no_other_email(smtp: Callable[[int], None]) -> None:
    three_emails()
    with mail_server(refusing("b@example.com")) as port:
        smtp(port)
        assert send_waiting_emails() == 2
    assert FailedItem.objects.get().queue == "outgoing_emails"
    assert emails.mail_trouble() is None


def test_an_email_that_makes_the_server_hang_up_delays_no_other(
    smtp: Callable[[int], None], time_machine: TimeMachineFixture
) -> None:
    """The oldest e-mail makes the server hang up. First the server seems to be at fault; then it
    accepts the others.
    """
    began = timezone.now()
    three_emails()
    with mail_server(hanging_up_on("a@example.com")) as port:
        smtp(port)
        assert send_waiting_emails() == 0
        time_machine.move_to(began + timedelta(seconds=30))
        assert send_waiting_emails() == 2
        assert emails.mail_trouble() is None
        for minutes in range(10, 100, 10):
            time_machine.move_to(began + timedelta(minutes=minutes))
            queue_email("staff/alerts", User.objects.get(email="b@example.com"), key=str(minutes), lines=[], more=0)
            assert send_waiting_emails() == 1
            time_machine.shift(timedelta(minutes=5))
            assert send_waiting_emails() == 0, "alone it is to blame all the same"
            assert emails.mail_trouble() is None
    assert list(OutgoingEmail.objects.unsent().values_list("key", flat=True)) == ["a"]


def test_a_made_up_address_alerts_nobody_and_hides_no_dead_letter(
    smtp: Callable[[int], None], time_machine: TimeMachineFixture
) -> None:
    queue_email("email_taken", User.objects.create_user("made-up@example.com"), key="stranger")
    began = timezone.now()
    with mail_server(refusing("made-up@example.com")) as port:
        smtp(port)
        for hours in range(26):
            time_machine.move_to(began + timedelta(hours=hours))
            send_waiting_emails()
        ended = OutgoingEmail.objects.get()
        assert (ended.attempt_count, "SMTPRecipientsRefused" in ended.error) == (emails.MAX_REFUSALS, True)
        assert not FailedItem.objects.exists()
        assert not Alert.objects.exists()
        assert not OutgoingEmail.objects.unsent().exists()

        emails.send_again([ended.pk])
        send_waiting_emails()
    assert OutgoingEmail.objects.get().attempt_count == emails.MAX_REFUSALS + 1, "staff may want it tried again"


def test_an_address_that_is_refused_again_and_again_is_not_tried_for_a_day(
    smtp: Callable[[int], None], time_machine: TimeMachineFixture
) -> None:
    three_emails()
    began = timezone.now()
    with mail_server(refusing("b@example.com")) as port:
        smtp(port)
        for hours in range(15):
            time_machine.move_to(began + timedelta(hours=hours))
            send_waiting_emails()
    assert OutgoingEmail.objects.get(key="b").attempt_count == emails.MAX_REFUSALS
    assert FailedItem.objects.get().dead_at is not None
    assert "SMTPRecipientsRefused" in FailedItem.objects.get().error


def test_readiness_names_the_mail_server(
    smtp: Callable[[int], None], client: Client, time_machine: TimeMachineFixture
) -> None:
    three_emails()
    with mail_server(silent) as port:
        smtp(port)
        for _ in range(2):
            send_waiting_emails()
            time_machine.move_to(timezone.now() + timedelta(seconds=30))
    health.note_heartbeat()
    answer = client.get("/readyz/").json()
    assert list(answer["wrong"]) == ["mail"]
    assert "EMAIL_URL" in answer["wrong"]["mail"]


def test_one_thread_of_a_process_waits_for_the_mail_server(smtp: Callable[[int], None]) -> None:
    three_emails()
    with mail_server(silent) as port:
        smtp(port)
        waiting = threading.Thread(target=send_waiting_emails)
        assert emails._place.acquire()
        try:
            waiting.start()
            waiting.join(30)
            assert not waiting.is_alive(), "it does not wait for its turn"
        finally:
            emails._place.release()


def test_after_a_day_an_email_is_a_dead_letter_that_staff_can_resend(
    smtp: Callable[[int], None], settings: Settings, client: Client, time_machine: TimeMachineFixture
) -> None:
    three_emails()
    with mail_server(silent) as port:
        smtp(port)
        time_machine.move_to(timezone.now() + timedelta(hours=25))
        send_waiting_emails()
    assert FailedItem.objects.filter(queue="outgoing_emails", dead_at__isnull=False).count() == 3
    assert Alert.objects.get().key == "dead:outgoing_emails"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    in_two_hours(time_machine)
    assert send_waiting_emails() == 0

    client.force_login(User.objects.create_superuser("boss@example.com", "pass"))
    form = {"action": "again", "_selected_action": OutgoingEmail.objects.get(key="a").pk, "confirmed": "yes"}
    client.post(reverse("admin:accounts_outgoingemail_changelist"), form)
    assert send_waiting_emails() == 1
    assert OutgoingEmail.objects.get(key="a").sent_at is not None


def test_staff_give_up_what_a_dead_mailbox_will_never_take(
    smtp: Callable[[int], None], client: Client, time_machine: TimeMachineFixture
) -> None:
    three_emails()
    with mail_server(silent) as port:
        smtp(port)
        time_machine.move_to(timezone.now() + timedelta(hours=25))
        send_waiting_emails()
    client.force_login(User.objects.create_superuser("boss@example.com", "pass"))
    ids = list(OutgoingEmail.objects.values_list("pk", flat=True))
    form = {"action": "end", "_selected_action": ids, "confirmed": "yes"}
    client.post(reverse("admin:accounts_outgoingemail_changelist"), form)
    assert not OutgoingEmail.objects.unsent().exists()
    assert not FailedItem.objects.filter(queue="outgoing_emails").exists()


def test_an_email_sent_again_has_another_day(smtp: Callable[[int], None], time_machine: TimeMachineFixture) -> None:
    three_emails()
    with mail_server(silent) as port:
        smtp(port)
        time_machine.move_to(timezone.now() + timedelta(hours=25))
        send_waiting_emails()
        emails.send_again(OutgoingEmail.objects.values_list("pk", flat=True))
        in_two_hours(time_machine)
        send_waiting_emails()
        assert not FailedItem.objects.filter(queue="outgoing_emails").exists()
        time_machine.move_to(timezone.now() + timedelta(hours=25))
        send_waiting_emails()
        assert FailedItem.objects.filter(queue="outgoing_emails", dead_at__isnull=False).count() == 3


def test_an_email_that_cannot_be_rendered_stops_no_other(settings: Settings) -> None:
    queue_email("no-such-template", User.objects.create_user("x@example.com"), key="broken")
    three_emails()
    assert send_waiting_emails() == 3
    assert FailedItem.objects.get().queue == "outgoing_emails"
