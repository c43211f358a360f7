"""The control room shows Altegio's callbacks."""

import pytest
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from integrations.connections.models import Connection
from integrations.lifecycle.models import Callback
from integrations.reconciliation.models import Reconciliation
from integrations.reconciliation.start import start_run
from integrations.webhooks.fan_out import fan_out
from integrations.webhooks.models import Delivery, Event
from sandbox import Sandbox
from tests.admin_urls import admin_url
from tests.callbacks import send_callback
from tests.entity_events import GOOD
from tests.not_none import not_none
from tests.response import Response
from tests.working import Work

pytestmark = pytest.mark.django_db


@pytest.fixture
def story(client: Client, altegio: Sandbox, work: Work, connected: Connection) -> Connection:
    send_callback(client, "surprise", secret_note="fine")
    client.post(f"/altegio/events/{connected.installation.events_key}/", GOOD, content_type="application/json")
    fan_out()
    work()
    start_run(Reconciliation.Trigger.NIGHTLY)
    work()
    return connected


@pytest.mark.parametrize("name", ["callback", "event", "delivery", "reconciliation", "finding"])
def test_every_list_opens(staff: Client, story: Connection, name: str) -> None:
    assert staff.get(admin_url(name)).status_code == 200


def test_every_page_opens(staff: Client, story: Connection) -> None:
    for model in (Callback, Event, Delivery, Reconciliation):
        row = model.objects.earliest("pk")
        assert staff.get(admin_url(not_none(model._meta.model_name), "change", row.pk)).status_code == 200


def test_the_timeline_is_a_page_for_staff_alone(staff: Client, story: Connection, client: Client) -> None:
    address = reverse("admin:connections_connection_change", args=[story.pk])
    assert "Altegio says: surprise" in staff.get(address).content.decode()
    client.force_login(not_none(story.owner))
    assert client.get(address).status_code == 302


def act(staff: Client, name: str, action: str, *rows: Model) -> Response:
    form = {"action": action, "_selected_action": [row.pk for row in rows], "confirmed": "yes"}
    return staff.post(admin_url(name), form, follow=True)


def test_staff_process_again_send_again_and_disconnect(
    staff: Client, story: Connection, altegio: Sandbox, work: Work
) -> None:
    act(staff, "callback", "again", Callback.objects.get())
    assert Callback.objects.get().state == "waiting"
    act(staff, "event", "again", Event.objects.get())
    assert Event.objects.get().forwarded_at is None
    Delivery.objects.update(state="dead")
    act(staff, "delivery", "again", Delivery.objects.earliest("pk"))
    assert Delivery.objects.earliest("pk").state == "waiting"
    act(staff, "connection", "disconnect", story)
    work()
    assert altegio.status_of(10101) == "uninstalled"
