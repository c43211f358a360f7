"""A disconnection from the owner's page or the API asks once and is sent once."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import ApiKey, OutgoingEmail, User
from integrations.activation.staff import release
from integrations.alerts.models import Alert
from integrations.connections.models import Application, Connection
from integrations.outbox.models import OutgoingCall
from integrations.status_sync.disconnect import disconnect
from integrations.status_sync.status_sync import ask_status
from sandbox import Sandbox, Status
from tests.marketplace import AURORA_1, arrive
from tests.not_none import not_none
from tests.owner_forms import visit
from tests.response import Api, Response
from tests.working import Work

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(client: Client) -> Api:
    def post(pk: int, scopes: Sequence[str] = ("billing",)) -> Response:
        _key, secret = ApiKey.objects.create_key(name="test", scopes=list(scopes))
        address = f"/api/v1/connections/{pk}/uninstall/"
        return client.post(address, headers={"Authorization": f"Api-Key {secret}"})

    return post


def page(connection: Connection) -> str:
    return reverse("lifecycle:disconnect", args=[connection.pk])


def test_the_owner_confirms_and_it_is_disconnected_once(
    client: Client, altegio: Sandbox, work: Work, connected: Connection
) -> None:
    client.force_login(not_none(connected.owner))
    assert page(connected) in client.get("/account/").content.decode()
    assert client.get(page(connected)).status_code == 200
    work()
    assert altegio.status_of(10101) is Status.ACTIVE
    for _ in range(2):
        assert client.post(page(connected)).status_code == 302
    work()

    assert altegio.status_of(10101) is Status.UNINSTALLED
    assert len(altegio.requests("uninstall")) == 1
    change = connected.changes.latest("pk")
    assert (change.to_state, change.by, change.why) == ("uninstalled", connected.owner, "The owner disconnected it.")


def test_nobody_elses_connection_is_found(client: Client, connected: Connection) -> None:
    client.force_login(User.objects.create_user("other@example.com", "s3cret-pass-word"))
    assert client.post(page(connected)).status_code == 404
    client.logout()
    assert client.post(page(connected)).status_code == 302
    assert not OutgoingCall.objects.filter(kind="uninstall").exists()


def test_the_api_queues_it_once_and_says_so_again(
    altegio: Sandbox, work: Work, connected: Connection, api: Api
) -> None:
    assert api(connected.pk).status_code == 202
    assert api(connected.pk).json()["state"] == "active"
    work()
    assert api(connected.pk).json()["state"] == "uninstalled"
    work()
    assert len(altegio.requests("uninstall")) == 1


def test_the_api_refuses_what_it_must(connected: Connection, api: Api) -> None:
    assert api(connected.pk, scopes=["read"]).status_code == 403
    assert api(999).status_code == 404
    Connection.objects.update(state="expired")
    answer = api(connected.pk)
    assert (answer.status_code, "not connected" in answer.json()["detail"]) == (409, True)


@pytest.mark.parametrize("fault", ["drop_after", "html_after", "error_after", "drop_before"])
def test_an_uncertain_disconnection_is_asked_about_and_made_once(
    altegio: Sandbox, work: Work, connected: Connection, api: Api, fault: str
) -> None:
    altegio.fault(fault, "uninstall", remaining=1)
    api(connected.pk)
    work()
    connected.refresh_from_db()
    assert connected.state == "uninstalled"
    assert altegio.status_of(10101) is Status.UNINSTALLED
    sent_twice = fault == "drop_before"
    assert OutgoingCall.objects.get(kind="uninstall").attempts.filter(purpose="send").count() == 1 + sent_twice


def test_a_connection_already_gone_counts_as_disconnected(
    altegio: Sandbox, work: Work, connected: Connection, api: Api
) -> None:
    altegio.uninstall(10101)
    api(connected.pk)
    work()
    connected.refresh_from_db()
    assert connected.state == "uninstalled"


def test_a_refusal_leaves_it_connected_and_it_may_be_tried_again(
    altegio: Sandbox, work: Work, connected: Connection, api: Api
) -> None:
    altegio.fault("error", "uninstall", status=403, remaining=1)
    api(connected.pk)
    work()
    connected.refresh_from_db()
    assert connected.state == "active"
    api(connected.pk)
    work()
    connected.refresh_from_db()
    assert connected.state == "uninstalled"


def test_the_same_owner_connects_again_and_the_history_stays(
    client: Client, altegio: Sandbox, work: Work, connected: Connection, api: Api
) -> None:
    api(connected.pk)
    work()
    arrive(client, altegio, 10101)
    work()
    assert list(Connection.objects.order_by("pk").values_list("state", flat=True)) == ["uninstalled", "active"]
    assert Connection.objects.latest("pk").owner == connected.owner
    assert User.objects.count() == 1


def test_the_recent_end_of_an_earlier_connection_is_not_this_ones(
    client: Client, altegio: Sandbox, connected: Connection, work: Work
) -> None:
    disconnect(connected.pk, by=None, why="It is connected anew.")
    work()
    arrive(client, altegio, AURORA_1)
    work()
    altegio.fault("drop_before", "uninstall")
    disconnect(Connection.objects.latest("pk").pk, by=None, why="And ended again.")
    work()
    assert altegio.status_of(AURORA_1) is Status.UNINSTALLED


def test_an_end_by_a_slow_clock_does_not_disconnect_the_next_connection(
    altegio: Sandbox, connected: Connection, work: Work
) -> None:
    """Altegio activates at the grant, and its clock is three seconds slow."""
    altegio.set_application(1, private=True)
    altegio.fault("drop_after", "uninstall")
    disconnect(connected.pk, by=None, why="It is connected anew.")
    work(rounds=1)
    altegio.grant(AURORA_1)
    for entry in altegio.world.connections[1, AURORA_1].logs:
        entry.changed_at -= timedelta(seconds=3)
    work()
    assert altegio.status_of(AURORA_1) is Status.ACTIVE


def test_an_owner_is_notified_of_the_end_even_if_a_stranger_waits(
    client: Client, altegio: Sandbox, work: Work
) -> None:
    Application.objects.create(altegio_id=1, hold_activations=True)
    visit(altegio, AURORA_1, "bot@example.com")
    arrive(client, altegio, AURORA_1)
    mine = Connection.objects.latest("pk")
    release(mine.pk)
    work()
    altegio.uninstall(AURORA_1)
    ask_status(mine)
    work()
    assert OutgoingEmail.objects.filter(template="disconnected").count() == 1
    assert Alert.objects.filter(kind="ended", connection=mine).exists()
