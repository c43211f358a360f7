"""A connection's timeline shows everything, in order, at a constant cost."""

import pytest
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries

from integrations.backoffice.timeline.entries import timeline
from integrations.connections.models import Connection
from sandbox import Sandbox
from tests.callbacks import send_callback
from tests.working import Work

pytestmark = pytest.mark.django_db


def test_the_timeline_shows_the_whole_story_in_order(
    client: Client, altegio: Sandbox, work: Work, connected: Connection
) -> None:
    altegio.uninstall(10101)
    send_callback(client)
    work()
    connected.refresh_from_db()
    entries = timeline(connected)

    assert [entry.at for entry in entries] == sorted(entry.at for entry in entries)
    payload = [f"{entry.kind}: {entry.title}" for entry in entries]
    wanted = [
        "arrival: The owner arrived from Altegio",
        "state: waiting for activation",
        "call: Activation",
        "attempt: Activation: sent",
        "state: active",
        "callback: Altegio says: uninstall",
        "call: Question: what is true?",
        "attempt: Question: what is true?: sent",
        "state: uninstalled",
    ]
    assert [line for line in payload if line in wanted] == wanted


def test_the_timeline_costs_the_same_however_much_happened(
    client: Client,
    altegio: Sandbox,
    work: Work,
    connected: Connection,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    send_callback(client, "freeze")
    work()
    with django_assert_num_queries(16):
        timeline(Connection.objects.get())
    for _ in range(5):
        send_callback(client, "freeze")
        work()
    with django_assert_num_queries(16):
        timeline(Connection.objects.get())
