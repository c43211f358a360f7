"""The control room's screens of messages and calls work for staff with the right."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import Model
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from accounts.models import User
from integrations.connections.models import Chain, Connection, Location, State
from integrations.connections.transitions import lock, move
from integrations.messaging.channels import UpdateChannel
from integrations.messaging.models import ChannelSwitch, StatusBatch
from integrations.messaging.volumes import count_volumes
from integrations.sender_names.models import SenderName
from integrations.sender_names.names import ask_for_name, give_name, names_of
from integrations.telephony.models import PhoneCall
from integrations.user_tokens.models import UserToken
from sandbox import Sandbox
from tests import marketplace
from tests.admin_urls import admin_url
from tests.not_none import not_none
from tests.response import Api
from tests.working import Work

pytestmark = pytest.mark.django_db
SCREENS = [
    "sendernamelist",
    "sendername",
    "smsconnection",
    "statusbatch",
    "messagestatus",
    "dailyvolume",
    "chain",
    "phonecall",
    "notificationday",
    "usertoken",
]


def room(name: str, page: str = "changelist", *args: Any) -> str:
    return admin_url(name, page, *args)


def act(staff: Client, name: str, action: str, row: Model) -> str:
    form = {"action": action, "_selected_action": row.pk, "confirmed": "yes"}
    return staff.post(room(name), form, follow=True).content.decode()


@pytest.fixture
def busy(
    altegio: Sandbox,
    connect: Callable[..., Connection],
    api: Api,
    telephony: Chain,
    work: Work,
) -> None:
    """Make everything happen once in the portal."""
    names = names_of(connect(10102))
    give_name(names, "Aurora")
    ask_for_name(names, "AuroraSpa")
    api("post", "sms/statuses/", [{"id": "m1", "status": 4, "salon_id": 10102}])
    call = {"salon_id": 10101, "phone": "+447700900123", "diversion": "+442071838750"}
    api("post", "telephony/notifications/", call)
    api("post", "telephony/calls/", {**call, "type": "incoming", "call_id": "pbx-1"})
    UserToken.objects.create(
        location=Location.objects.get(altegio_id=10101), altegio_user_id=9001, token="emmas-user-token"
    )
    work()
    count_volumes()


@pytest.mark.parametrize("name", SCREENS)
def test_every_screen_opens_and_shows_no_secret(staff: Client, busy: Any, telephony: Chain, name: str) -> None:
    page = staff.get(room(name))
    rows = page.context["cl"].queryset
    assert rows
    shown = page.content + staff.get(room(name, "change", rows[0].pk)).content
    for secret in (telephony.crm_token, "emmas-user-token", "partner-token-of-the-tests"):
        assert secret.encode() not in shown
    assert b"style=" not in shown


def test_a_list_takes_constant_queries(
    staff: Client, busy: Any, api: Api, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(20):
        api("post", "sms/statuses/", [{"id": f"n{number}", "status": 4}])
    with django_assert_max_num_queries(12):
        staff.get(room("messagestatus"))


def test_the_chart_shows_the_days_messages(staff: Client, busy: Any) -> None:
    page = staff.get(room("dailyvolume")).content.decode()
    assert "<rect" in page
    assert "sent to phone, 1</title>" in page


def test_staff_give_a_name(staff: Client, altegio: Sandbox, connect: Callable[..., Connection], work: Work) -> None:
    connect(10101)
    form = {"salon_id": 10101, "name": "Aurora", "bought": "on"}
    assert staff.post(room("sendername", "add"), form).status_code == 302
    work()
    assert not_none(altegio.connection(10101)).short_names == ["Aurora"]
    assert SenderName.objects.get().state == "bought"


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ({"salon_id": 10101, "name": "Медведь"}, "Cyrillic"),
        ({"salon_id": 4242, "name": "Aurora"}, "no connection"),
    ],
)
def test_a_name_that_cannot_be_is_refused_with_the_reason(
    staff: Client, connect: Callable[..., Connection], form: dict[str, Any], why: str
) -> None:
    connect(10101)
    page = staff.post(room("sendername", "add"), form)
    assert why in page.content.decode()
    assert not SenderName.objects.exists()


def test_staff_grant_and_refuse_what_owners_ask_for(
    staff: Client, altegio: Sandbox, connect: Callable[..., Connection], work: Work
) -> None:
    names = names_of(connect(10101))
    for name in ("Aurora", "Spa"):
        ask_for_name(names, name)
    act(staff, "sendername", "grant", SenderName.objects.get(name="Aurora"))
    act(staff, "sendername", "refuse", SenderName.objects.get(name="Spa"))
    work()
    assert not_none(altegio.connection(10101)).short_names == ["Aurora"]
    assert SenderName.objects.get(name="Spa").state == "refused"


def test_withdrawing_explains_the_last_name(
    staff: Client, altegio: Sandbox, connect: Callable[..., Connection], work: Work
) -> None:
    name = give_name(names_of(connect(10101)), "Aurora")
    work()
    asked = staff.post(room("sendername"), {"action": "withdraw", "_selected_action": name.pk})
    assert "takes no empty list" in asked.content.decode()
    act(staff, "sendername", "withdraw", name)
    page = staff.get(room("sendernamelist", "change", name.list_id)).content.decode()
    assert "takes no empty list" in page


def test_channels_are_switched_from_the_list(
    staff: Client, altegio: Sandbox, connect: Callable[..., Connection], work: Work
) -> None:
    connection = connect(10101)
    act(staff, "smsconnection", "whatsapp_on", connection)
    act(staff, "smsconnection", "sms_off", connection)
    work()
    assert not_none(altegio.connection(10101)).channels == {"whatsapp": True, "sms": False}


def test_a_channel_switched_at_an_ended_connection_waits_for_nothing(
    staff: Client, connect: Callable[..., Connection]
) -> None:
    connection = connect(10101)
    move(lock(connection.pk), State.UNINSTALLED, "The owner disconnects.", ended_at=timezone.now())
    act(staff, "smsconnection", "sms_off", connection)
    assert not UpdateChannel.untold(timezone.now()).exists()
    page = staff.get(room("smsconnection", "change", connection.pk)).content.decode()
    assert "SMS: off (refused: This location is not connected.)" in page


def test_a_channel_switched_at_an_ended_connection_is_switched_for_the_next_one(
    staff: Client,
    altegio: Sandbox,
    connect: Callable[..., Connection],
    reconnect: Callable[[Connection], Connection],
    work: Work,
) -> None:
    ended = connect(10101)
    altegio.uninstall(10101)
    move(lock(ended.pk), State.UNINSTALLED, "The owner disconnects.", ended_at=timezone.now())
    reconnect(ended)
    act(staff, "smsconnection", "sms_off", ended)
    work()
    assert not_none(altegio.connection(10101)).channels == {"sms": False}
    assert ChannelSwitch.objects.get().sync_state == "synced"


def test_a_channel_switched_at_a_strangers_claim_is_switched_for_the_live_connection(
    staff: Client, client: Client, altegio: Sandbox, connect: Callable[..., Connection], work: Work
) -> None:
    connect(10101)
    marketplace.follow(client, altegio, 10101, user_id=marketplace.MARIA)
    act(staff, "smsconnection", "sms_off", Connection.objects.undecided().get())
    assert not UpdateChannel.untold(timezone.now()).exists()
    work()
    assert not_none(altegio.connection(10101)).channels == {"sms": False}


def test_replacing_a_key_says_when_it_takes_effect(staff: Client, connect: Callable[..., Connection]) -> None:
    connection = connect(10101)
    before = connection.installation.api_key
    asked = staff.post(room("smsconnection"), {"action": "replace_key", "_selected_action": connection.pk})
    assert "until the owner disconnects" in asked.content.decode()
    act(staff, "smsconnection", "replace_key", connection)
    assert connection.installation.api_key != before


def test_a_refused_status_is_sent_again(staff: Client, altegio: Sandbox, api: Api, work: Work) -> None:
    altegio.refuse_sms("m1", 403)
    api("post", "sms/statuses/", [{"id": "m1", "status": 4}])
    work()
    altegio.world.refused_sms.clear()
    act(staff, "statusbatch", "send_again", StatusBatch.objects.get())
    work()
    assert [item["id"] for item in altegio.sms_statuses()] == ["m1"]
    assert StatusBatch.objects.get().state == "sent"


def test_a_refused_call_is_sent_again(
    staff: Client, altegio: Sandbox, api: Api, telephony: Chain, work: Work
) -> None:
    altegio.fault("error", "voip", status=404, remaining=1)
    call = {"salon_id": 10101, "type": "incoming", "phone": "+447700900123", "diversion": "+442071838750"}
    api("post", "telephony/calls/", call)
    work()
    act(staff, "phonecall", "send_again", PhoneCall.objects.get())
    work()
    assert PhoneCall.objects.get().state == "saved"


def test_telephony_that_was_refused_is_switched_on_again(
    staff: Client, altegio: Sandbox, telephony: Chain, work: Work
) -> None:
    telephony.telephony = "failed"
    telephony.save()
    act(staff, "chain", "switch_on", telephony)
    work()
    telephony.refresh_from_db()
    assert telephony.telephony == "on"


def test_a_user_token_is_set_kept_and_used_for_looking(
    staff: Client, altegio: Sandbox, connect: Callable[..., Connection], work: Work
) -> None:
    connect(10101)
    location = Location.objects.get(altegio_id=10101)
    form = {"location": location.altegio_id, "altegio_user_id": 9001, "token": "emmas-user-token"}
    assert staff.post(room("usertoken", "add"), form).status_code == 302
    work()
    token = UserToken.objects.get()
    assert staff.post(room("usertoken", "change", token.pk), {**form, "token": ""}).status_code == 302
    token.refresh_from_db()
    page = staff.get(room("usertoken", "change", token.pk)).content.decode()
    assert token.token == "emmas-user-token"
    assert "New appointment" in page
    assert "emmas-user-token" not in page


def test_staff_without_the_right_cannot_act(
    client: Client, connect: Callable[..., Connection], django_user_model: type[User]
) -> None:
    from django.contrib.auth.models import Permission

    connection = connect(10101)
    looker = django_user_model.objects.create_user("looker@example.com", "p", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_smsconnection"))
    client.force_login(looker)
    before = connection.installation.api_key
    act(client, "smsconnection", "replace_key", connection)
    assert connection.installation.api_key == before


def test_the_list_of_sender_names_takes_constant_queries(
    staff: Client, connect: Callable[..., Connection], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for salon_id in (10101, 10102, 10201):
        give_name(names_of(connect(salon_id)), "Aurora")
    with django_assert_max_num_queries(10):
        assert staff.get(room("sendernamelist")).content.count(b"Aurora<") >= 3
