"""A chain's CRM token may change; the owner who comes back brings the new one."""

import pytest

from integrations.models import Alarm, Chain
from tests.marketplace import follow

pytestmark = pytest.mark.django_db


def change_at_altegio(altegio, chain, token):
    with altegio.world.lock:
        altegio.world.chains[chain.altegio_id].crm_token = token


def switches(altegio):
    return [call.body for call in altegio.requests("voip") if call.body["command"] == "setup"]


def test_the_new_token_replaces_the_old_one(client, altegio, telephony, work):
    change_at_altegio(altegio, telephony, "crm-new")
    follow(client, altegio, 10101, application_id=2)
    work()
    telephony.refresh_from_db()
    assert (telephony.crm_token, telephony.telephony) == ("crm-new", "on")
    assert [body["crm_token"] for body in switches(altegio)][-1] == "crm-new"


def test_coming_back_with_the_same_token_switches_nothing(client, altegio, telephony, work):
    follow(client, altegio, 10101, application_id=2)
    work()
    assert len(switches(altegio)) == 1


def test_a_token_that_is_not_theirs_to_change_is_not_taken_over(client, altegio, telephony, work):
    """The chain and its token stand unsigned in the address: a chain of other people's is left alone."""
    theirs = Chain.objects.create(altegio_id=777, crm_token="crm-theirs")
    live = telephony.locations.get().connections.get()
    other = live.location.__class__.objects.create(altegio_id=555, chain=theirs)
    live.__class__.objects.create(
        application=live.application,
        location=other,
        state="active",
        claim="u:0",
        arrived_at=live.arrived_at,
        last_arrived_at=live.arrived_at,
        deadline_at=live.deadline_at,
    )
    url = altegio.arrival_url(10101, 2, user_id=9001)
    url = url.replace(f"salon_group_id={telephony.altegio_id}", "salon_group_id=777")
    client.get(url[url.index("/connect/") :])
    work()
    theirs.refresh_from_db()
    telephony.refresh_from_db()
    assert telephony.locations.get() == live.location
    assert theirs.crm_token == "crm-theirs"
    assert Alarm.objects.filter(kind="review").exists()
