"""SMS and WhatsApp are switched at Altegio as staff switch them here."""

from collections.abc import Callable

import pytest

from integrations.connections.models import Connection
from integrations.messaging.channels import switch_channel
from integrations.messaging.models import ChannelSwitch
from sandbox import Sandbox
from tests.not_none import not_none

pytestmark = pytest.mark.django_db


def test_the_newest_switch_reaches_altegio_in_one_call(
    altegio: Sandbox, connect: Callable[..., Connection], work: Callable[..., None]
) -> None:
    connection = connect(10101)
    for is_available in (True, False, True):
        switch_channel(connection, ChannelSwitch.Slug.WHATSAPP, is_available=is_available)
    work()

    assert not_none(altegio.connection(10101)).channels == {"whatsapp": True}
    assert len(altegio.requests("channel")) == 1
    assert ChannelSwitch.objects.get().sync_state == "synced"


def test_a_refusal_is_shown(altegio: Sandbox, connect: Callable[..., Connection], work: Callable[..., None]) -> None:
    connection = connect(10101)
    altegio.uninstall(10101)
    switch_channel(connection, ChannelSwitch.Slug.SMS, is_available=False)
    work()
    switch = ChannelSwitch.objects.get()
    assert switch.sync_state == "failed"
    assert "not installed" in switch.sync_error
