"""A connection's page shows staff what failed, with the next step, and what was paid."""

from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from billing.models import Payment
from integrations.alerts.models import Alert
from integrations.backoffice.timeline.next_steps import next_steps
from integrations.connections.models import Connection, SyncState
from integrations.sender_names.models import SenderNameList
from integrations.sender_names.names import give_name, names_of
from sandbox import Sandbox
from tests.billing.conftest import SALON, Billing
from tests.working import Work

pytestmark = pytest.mark.django_db
REFUSED = {"remaining": 9, "status": 422, "body": {"success": False, "meta": {"message": "Wrong sum"}}}
AGAIN = '<input type="hidden" name="action" value="send_again">'


def page(staff: Client, connection: Connection) -> str:
    answer = staff.get(reverse("admin:connections_connection_change", args=[connection.pk]))
    return unescape(answer.content.decode())


@pytest.fixture
def failed(altegio: Sandbox, billing: Billing, connection: Connection, work: Work) -> Payment:
    altegio.fault("error", "payment", **REFUSED)
    billing.pay(external_id="bill")
    work()
    altegio.clear_faults()
    return Payment.objects.get()


@pytest.fixture
def refused_names(altegio: Sandbox, connection: Connection, work: Work) -> SenderNameList:
    altegio.fault("error", "short_names", **REFUSED)
    names = names_of(connection)
    give_name(names, "Aurora")
    work()
    altegio.clear_faults()
    names.refresh_from_db()
    assert names.sync_state == SyncState.FAILED
    return names


def test_a_failed_payment_is_one_sentence_with_its_page_and_a_button(
    staff: Client, connection: Connection, failed: Payment
) -> None:
    shown = page(staff, connection)
    assert "The payment of 990.99" in shown
    assert "did not reach Altegio: Wrong sum" in shown
    assert reverse("admin:billing_payment_change", args=[failed.pk]) in shown
    assert f'<form method="post" action="{reverse("admin:billing_payment_changelist")}">' in shown
    assert AGAIN in shown


def test_a_failed_payment_is_not_repeated_as_a_failed_call(
    staff: Client, connection: Connection, failed: Payment
) -> None:
    shown = page(staff, connection)
    assert "nothing is known to be wrong" not in shown
    assert Alert.objects.open().filter(connection=connection).count() == 1
    assert [step.alert for step in next_steps(connection) if step.alert] == []


def test_the_button_sends_it_again_and_the_alert_ends_with_its_cause(
    staff: Client, connection: Connection, failed: Payment, work: Work
) -> None:
    assert Alert.objects.filter(cleared_at=None, connection=connection).count() == 1
    again = {"action": "send_again", "_selected_action": failed.pk, "confirmed": "yes"}
    staff.post(reverse("admin:billing_payment_changelist"), again)
    work()
    assert not Alert.objects.filter(cleared_at=None).exists()
    assert "nothing is known to be wrong" in page(staff, connection)


def test_staff_without_the_right_see_the_sentence_without_its_button(connection: Connection, failed: Payment) -> None:
    viewer = User.objects.create_user("viewer@partner.example", is_staff=True)
    viewer.groups.set([viewer.groups.model.objects.get(name="Viewer")])
    client = Client()
    client.force_login(viewer)
    shown = page(client, connection)
    assert "did not reach Altegio: Wrong sum" in shown
    assert AGAIN not in shown
    assert "Record a payment" not in shown


def test_refused_sender_names_are_one_sentence_with_a_button_and_their_alert_ends(
    staff: Client, connection: Connection, refused_names: SenderNameList, work: Work
) -> None:
    shown = page(staff, connection)
    assert "Altegio does not have the sender names as they are: Wrong sum" in shown
    assert Alert.objects.open().filter(connection=connection).count() == 1
    assert [step.alert for step in next_steps(connection) if step.alert] == []
    assert AGAIN in shown
    lists = reverse("admin:sender_names_sendernamelist_changelist")
    staff.post(lists, {"action": "send_again", "_selected_action": refused_names.pk, "confirmed": "yes"})
    work()
    assert not Alert.objects.filter(cleared_at=None).exists()
    assert "nothing is known to be wrong" in page(staff, connection)


def test_money_is_a_section_that_leads_to_a_filled_form(
    staff: Client, billing: Billing, connection: Connection, work: Work
) -> None:
    billing.pay(external_id="bill")
    work()
    shown = page(staff, connection)
    assert "paid until" in shown
    address = f"{reverse('admin:billing_payment_add')}?salon_id={SALON}&application_id=1"
    assert address in shown
    assert f'name="salon_id" value="{SALON}"' in staff.get(address).content.decode()
