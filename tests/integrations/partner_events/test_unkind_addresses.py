"""An address that never finishes, or asks for a pause, delays no other address's events and no call."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone
from pytest_django.fixtures import Settings

from integrations.connections.models import Application
from integrations.partner_events import deliver, sending
from integrations.partner_events.deliver import deliver_due
from integrations.partner_events.endpoints import new_endpoint
from integrations.partner_events.fan_out import delivery_of
from integrations.partner_events.models import PartnerEvent, WebhookDelivery, WebhookEndpoint
from partner_portal.core.thread_shares import ThreadShare
from tests.integrations.partner_events.conftest import due_now
from tests.not_none import not_none
from tests.unkind_server import OK, SLACK_SECONDS, Talk, UnkindServer, at_most, say, unkind_server

END = 0.5


@pytest.fixture(autouse=True)
def _quick(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.EVENTS_ALLOW_PRIVATE = True
    monkeypatch.setattr(sending, "TIMEOUT", END)
    monkeypatch.setattr("partner_portal.core.thread_shares.SLOW_AFTER", END / 2)
    monkeypatch.setattr(deliver, "_share", ThreadShare(deliver.THREADS))


@pytest.fixture
def server() -> Iterator[UnkindServer]:
    with unkind_server() as server:
        yield server


def address(server: UnkindServer, path: str = "hook") -> WebhookEndpoint:
    return new_endpoint(f"{server.url}/{path}", [], None, "")


def deliveries(endpoint: WebhookEndpoint, count: int = 1) -> None:
    """Make so many deliveries that are due for the address."""
    application, _made = Application.objects.get_or_create(altegio_id=1)
    for _ in range(count):
        event = PartnerEvent.objects.create(type="altegio.events", application=application, body='{"a": 1}')
        PartnerEvent.objects.filter(pk=event.pk).update(position=event.pk)
        delivery_of(event, endpoint).save()


def delivered(endpoint: WebhookEndpoint) -> int:
    return endpoint.deliveries.filter(state="delivered").count()


def only_delivery() -> WebhookDelivery:
    deliver_due()
    return WebhookDelivery.objects.get()


UNKIND = {
    "100 Continue without end": lambda talk: talk.repeat(b"HTTP/1.1 100 Continue\r\n\r\n", pause=0.05),
    "103 alone": lambda talk: (talk.say(b"HTTP/1.1 103 Early Hints\r\n\r\n"), talk.silence()),
    "headers that trickle": lambda talk: talk.trickle(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 500),
    "silence": lambda talk: talk.silence(),
    "nothing": lambda talk: talk.hang_up(),
    "no HTTP": say(b"hello\r\n\r\n"),
    "a redirect that cannot be read": say(
        b"HTTP/1.1 301 Moved\r\nLocation: http://[bad/\r\nContent-Length: 0\r\n\r\n"
    ),
}


@pytest.mark.django_db
@pytest.mark.parametrize("script", UNKIND.values(), ids=UNKIND)
def test_an_invalid_answer_is_not_taken_for_a_delivery(server: UnkindServer, script: Any) -> None:
    server.will(script)
    deliveries(address(server))
    with at_most(END + 1):
        assert only_delivery().state == "waiting"
    assert WebhookDelivery.objects.get().error


@pytest.mark.django_db(transaction=True)
def test_addresses_that_never_end_do_not_stop_the_others(server: UnkindServer) -> None:
    """Nine addresses hang from the start, each with a backlog; the tenth's deliveries go on meanwhile."""
    with unkind_server() as kind:
        server.will(UNKIND["100 Continue without end"])
        kind.will(say(OK))
        for _ in range(9):
            deliveries(address(server), 40)
        good = address(kind)
        deliveries(good, 20)

        ended = threading.Event()

        def work() -> None:
            while not ended.is_set():
                deliver_due()
                time.sleep(0.01)
            connections.close_all()

        workers = [threading.Thread(target=work) for _ in range(4)]
        for worker in workers:
            worker.start()
        began = time.monotonic()
        while delivered(good) < 20 and time.monotonic() - began < 60:
            time.sleep(0.02)
        took = time.monotonic() - began
        ended.set()
        for worker in workers:
            worker.join()
    assert delivered(good) == 20
    # All nine may hold the three threads at once until one deadline each; after that they share one.
    assert took < 3 * END + SLACK_SECONDS


@pytest.mark.django_db
@pytest.mark.leaves_stranded("a run is claimed and not executed")
def test_one_address_is_served_by_one_thread(server: UnkindServer) -> None:
    server.will(say(OK))
    endpoint = address(server)
    deliveries(endpoint)
    first = not_none(deliver._share.choose(deliver._claim, deliver._address_of))
    deliveries(endpoint)
    with deliver._share.serving(deliver._address_of(first)):
        assert deliver_due() == 0
    assert deliver_due() == 1


@pytest.mark.django_db
@pytest.mark.leaves_stranded("nothing is sent")
def test_deliveries_take_a_share_of_the_threads_and_no_more(server: UnkindServer) -> None:
    deliveries(address(server))
    for _ in range(deliver.THREADS):
        deliver._share._free.acquire()
    assert deliver_due() == 0
    assert WebhookDelivery.objects.get().attempt_count == 0


def test_most_threads_of_a_worker_are_for_calls_and_emails(settings: Settings) -> None:
    assert deliver.THREADS <= settings.CELERY_WORKER_CONCURRENCY / 4


@pytest.mark.django_db
@pytest.mark.parametrize("status", [b"503", b"429", b"500", b"404"])
def test_an_address_that_asks_for_a_pause_is_left_alone(server: UnkindServer, status: bytes) -> None:
    server.will(say(b"HTTP/1.1 %s No\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n" % status), say(OK))
    endpoint = address(server)
    deliveries(endpoint, 3)
    deliver_due()
    deliveries(endpoint)
    deliver_due()
    assert len(server.requests) == 1
    first = WebhookDelivery.objects.earliest("id")
    assert timedelta(seconds=110) < first.due_at - timezone.now() <= timedelta(seconds=120)

    due_now()
    deliver_due()
    assert delivered(endpoint) == 4


@pytest.mark.django_db
@pytest.mark.leaves_stranded("what is refused waits")
def test_a_silent_address_rests_and_is_tried_again_after_five_seconds(server: UnkindServer) -> None:
    server.will(lambda talk: talk.hang_up())
    endpoint = address(server)
    deliveries(endpoint, 3)
    deliver_due()
    endpoint.refresh_from_db()
    assert len(server.requests) == 1
    for moment in (endpoint.rests_until, WebhookDelivery.objects.earliest("id").due_at):
        assert timedelta(seconds=3) < not_none(moment) - timezone.now() <= timedelta(seconds=5)


@pytest.mark.django_db
def test_an_answers_body_is_not_waited_for(server: UnkindServer) -> None:
    def say_headers_alone(talk: Talk) -> None:
        talk.say(b"HTTP/1.1 200 OK\r\nContent-Length: 9437184\r\n\r\n")
        talk.silence()

    server.will(say_headers_alone)
    deliveries(address(server))
    with at_most(END):
        assert only_delivery().state == "delivered"


NO = b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"


def after(seconds: float, answer: bytes) -> Any:
    """Return the script of an address that waits before it answers."""
    return lambda talk: (talk.silence(seconds), talk.say(answer))


def rests_after(server: UnkindServer, count: int) -> int:
    """Return how many of so many deliveries were attempted before the address had to rest."""
    endpoint = address(server)
    deliveries(endpoint, count)
    deliver_due()
    endpoint.refresh_from_db()
    assert not_none(endpoint.rests_until) > timezone.now()
    return len(server.requests)


@pytest.mark.django_db
@pytest.mark.leaves_stranded("what is refused waits")
def test_an_address_that_refuses_slowly_rests_though_it_was_asked_few_times(
    server: UnkindServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "MAX_RUN", END / 5)
    server.will(after(END / 4, NO))
    assert rests_after(server, 5) == 1


@pytest.mark.django_db
@pytest.mark.leaves_stranded("what is refused waits")
def test_one_delivery_is_attempted_however_slow_the_name_resolution(
    server: UnkindServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "MAX_RUN", 0.0)
    server.will(say(NO))
    assert rests_after(server, 2) == 1


@pytest.mark.django_db
@pytest.mark.leaves_stranded("what is refused waits")
def test_the_address_that_waited_longest_goes_first_whatever_its_last_outcome(
    server: UnkindServer,
) -> None:
    server.will(say(NO), say(OK))
    refusing, taking = address(server, "refusing"), address(server, "taking")
    deliveries(refusing)
    deliver_due()
    WebhookEndpoint.objects.filter(pk=taking.pk).update(last_delivered_at=timezone.now() - timedelta(minutes=1))
    WebhookDelivery.objects.update(due_at=timezone.now())
    deliveries(taking)
    deliver_due()
    assert [head.split()[1] for head in server.requests] == [b"/refusing", b"/taking", b"/refusing"]


@pytest.mark.django_db
@pytest.mark.leaves_stranded("a run is claimed and not executed")
def test_many_quick_deliveries_in_one_turn_make_no_address_slow(server: UnkindServer) -> None:
    """The address has its turn beside one that is really slow and being served."""
    with unkind_server() as tardy:
        server.will(after(END / 8, OK))
        tardy.will(after(0.7 * END, OK))
        slow, quick = address(tardy), address(server)
        deliveries(slow)
        deliveries(quick, 6)
        assert deliver_due() == 7

        deliveries(slow)
        run = not_none(deliver._share.choose(deliver._claim, deliver._address_of))
        deliveries(quick)
        with deliver._share.serving(run.endpoint.pk):
            assert deliver_due() == 1
