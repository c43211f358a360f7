"""What a message's statuses say in the end, whatever order, price or fate they come with."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import cycle
from random import Random
from typing import Any, cast

import pytest
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from integrations.messaging import relay_batches
from integrations.messaging.ingest import take_statuses
from integrations.messaging.models import DailyVolume, MessageStatus, StatusBatch
from integrations.messaging.parsing import ReportedStatus
from integrations.messaging.volumes import count_volumes
from integrations.outbox.models import OutgoingCall
from sandbox import Sandbox
from tests.integrations.messaging.reporting import STATUSES, sent, status
from tests.response import Api

pytestmark = pytest.mark.django_db
RETRY = f"{STATUSES}retry/"


def calls(altegio: Sandbox) -> Any:
    return [[(item["id"], item["status"]) for item in call.body] for call in altegio.requests("sms_statuses")]


@pytest.mark.parametrize(
    ("reported", "told"),
    [
        pytest.param([1, 8], [1], id="handed over after delivered"),
        pytest.param([1, 4], [1], id="sent to phone after delivered"),
        pytest.param([2, 8, 4], [2], id="both after not delivered"),
        pytest.param([16, 4], [16], id="after rejected"),
        pytest.param([52, 8], [52], id="after no funds"),
        pytest.param([1, 8, 4, 2], [1, 2], id="a later final one goes out"),
        pytest.param([8, 4, 1], [8, 4, 1], id="in order"),
    ],
)
@pytest.mark.parametrize("worked", [True, False], ids=["told at once", "told together"])
def test_a_final_status_stays_against_passing_ones(
    api: Api, altegio: Sandbox, work: Callable[..., None], reported: Any, told: Any, worked: bool
) -> None:
    for number in reported:
        assert api("post", STATUSES, [status("m1", number)]).status_code == 202
        if worked:
            work()
    work()
    assert [number for _id, number in sent(altegio)] == told
    left_out = api("get", f"{STATUSES}?id=m1&state=left_out").json()["results"]
    assert len(left_out) == len(reported) - len(told)


def test_a_report_of_one_message_is_told_in_the_order_of_its_life(
    api: Api, altegio: Sandbox, work: Callable[..., None]
) -> None:
    api("post", STATUSES, [status("m1", 2), status("m2", 4), status("m1", 4), status("m1", 8)])
    work()
    assert sent(altegio) == [("m1", 8), ("m1", 4), ("m1", 2), ("m2", 4)]


@pytest.mark.parametrize("worked", [True, False], ids=["after it was sent", "while it waits"])
def test_a_corrected_price_goes_out_and_into_the_figures(
    api: Api, altegio: Sandbox, work: Callable[..., None], worked: bool
) -> None:
    api("post", STATUSES, [status("m1", 1), status("m2", 1)])
    if worked:
        work()
        count_volumes()
    answer = api("post", STATUSES, [status("m1", 1, payment_sum="0.07", parts_amount=2), status("m2", 1)])
    assert answer.json() == {"accepted": 2}
    work()
    last = [item for call in altegio.requests("sms_statuses") for item in call.body if item["id"] == "m1"][-1]
    assert (last["payment_sum"], last["parts_amount"]) == (Decimal("0.07"), 2)
    assert calls(altegio).count([("m1", 1)]) == (1 if worked else 0)
    count_volumes()
    volume = DailyVolume.objects.get()
    assert (volume.messages, volume.parts, volume.cost) == (2, 3, Decimal("0.12"))


def test_a_price_in_another_currency_moves_in_the_figures(
    api: Api, altegio: Sandbox, work: Callable[..., None]
) -> None:
    api("post", STATUSES, [status("m1", 1)])
    work()
    count_volumes()
    api("post", STATUSES, [status("m1", 1, currency_iso="UAH")])
    work()
    count_volumes()
    figures = {volume.currency_iso: (volume.messages, volume.cost) for volume in DailyVolume.objects.all()}
    assert figures == {"EUR": (0, 0), "UAH": (1, Decimal("0.05"))}


class TestFiguresOfSeveralDays:
    """What came on several days and went in one list stands in the figures of its own day, whatever becomes of it."""

    @pytest.fixture
    def figures(self, api: Api, altegio: Sandbox, time_machine: Any) -> Callable[[], Any]:
        """On the first day m1 came, in one part; on the second m2, in three, and m3."""
        midnight = datetime(2026, 11, 24, tzinfo=UTC)
        time_machine.move_to(midnight - timedelta(minutes=1))
        api("post", STATUSES, [status("m1", 1)])
        time_machine.move_to(midnight + timedelta(minutes=1))
        api("post", STATUSES, [status("m2", 1, parts_amount=3), status("m3", 1)])

        def read() -> Any:
            count_volumes()
            rows = DailyVolume.objects.filter(messages__gt=0).order_by("day", "currency_iso")
            return [(row.day.day, row.currency_iso, row.messages, row.parts, str(row.cost)) for row in rows]

        return read

    @pytest.mark.parametrize("refused", ["m3", "m2"])
    def test_after_the_list_was_refused(
        self, api: Api, altegio: Sandbox, work: Callable[..., None], figures: Callable[[], Any], refused: str
    ) -> None:
        altegio.refuse_sms(refused)
        work()
        before = figures()
        assert before == [(23, "EUR", 1, 1, "0.050000"), (24, "EUR", 2, 4, "0.100000")]
        altegio.reset()
        answer = api("post", STATUSES, [status("m2", 1, parts_amount=1), status("m1", 1, currency_iso="UAH")])
        assert answer.json() == {"accepted": 2}
        work()
        assert figures() == [(23, "UAH", 1, 1, "0.050000"), (24, "EUR", 2, 2, "0.100000")]

    def test_after_it_was_sent_and_corrected_twice(
        self, api: Api, altegio: Sandbox, work: Callable[..., None], figures: Callable[[], Any]
    ) -> None:
        work()
        for currency in ("UAH", "USD"):
            told = [status(name, 1, currency_iso=currency, parts_amount=1) for name in ("m1", "m2")]
            assert api("post", STATUSES, told).json() == {"accepted": 2}
            work()
        assert figures() == [
            (23, "USD", 1, 1, "0.050000"),
            (24, "EUR", 1, 1, "0.050000"),
            (24, "USD", 1, 1, "0.050000"),
        ]

    def test_after_an_older_one_came_after_its_end(
        self, api: Api, altegio: Sandbox, work: Callable[..., None], figures: Callable[[], Any], time_machine: Any
    ) -> None:
        """What is left out keeps its days, too."""
        work()
        api("post", STATUSES, [status("m1", 8)])
        time_machine.move_to(timezone.now() + timedelta(days=1))
        api("post", STATUSES, [status("m2", 8)])
        work()
        left_out = StatusBatch.objects.filter(state="left_out").order_by("received_at")
        assert [batch.received_at.day for batch in left_out] == [24, 25]

    def test_figures_that_do_not_know_a_status_refuse_no_correction(
        self, api: Api, altegio: Sandbox, work: Callable[..., None], figures: Callable[[], Any]
    ) -> None:
        work()
        figures()
        DailyVolume.objects.all().delete()
        told = [status("m2", 1, currency_iso="UAH", parts_amount=1)]
        assert api("post", STATUSES, told).json() == {"accepted": 1}
        assert figures() == [(24, "UAH", 1, 1, "0.050000")]


def test_a_corrected_price_of_a_passing_one_is_left_out_after_the_end(
    api: Api, altegio: Sandbox, work: Callable[..., None]
) -> None:
    api("post", STATUSES, [status("m1", 8), status("m1", 1)])
    work()
    api("post", STATUSES, [status("m1", 8, payment_sum=1)])
    work()
    assert sent(altegio) == [("m1", 8), ("m1", 1)]


@pytest.mark.parametrize("how", ["told again", "retry of one", "retry of all"])
def test_a_refused_status_goes_again(api: Api, altegio: Sandbox, work: Callable[..., None], how: str) -> None:
    altegio.refuse_sms("m1")
    api("post", STATUSES, [status("m1", 2), status("m2", 2)])
    work()
    (refused,) = api("get", f"{STATUSES}?state=refused").json()["results"]
    assert (refused["id"], refused["error"], refused["error_code"]) == ("m1", "The message was not found.", 30)

    altegio.reset()
    if how == "told again":
        api("post", STATUSES, [status("m1", 2), status("m2", 2)])
    else:
        body = {"ids": ["m1", "m2"]} if how == "retry of one" else {}
        assert api("post", RETRY, body).json() == {"accepted": 1}
    work()
    assert sent(altegio) == [("m1", 2)]
    assert {row["state"] for row in api("get", STATUSES).json()["results"]} == {"sent"}


@pytest.mark.parametrize("body", [{"ids": []}, {"ids": "m1"}, {"id": ["m1"]}, ["m1"], {"ids": [True]}, "null", '""'])
def test_a_retry_says_what_it_wants(api: Api, body: Any) -> None:
    answer = api("post", RETRY, body)
    assert (answer.status_code, list(answer.json())) == (400, ["ids"])


def test_what_was_left_out_of_a_report_is_on_record(api: Api) -> None:
    api("post", STATUSES, [status("m1", 2, price=1)])
    assert StatusBatch.objects.get().warnings == [
        {"field": "0.price", "message": "Left out. There is no such field."}
    ]


def test_repeated_and_corrected_reports_cost_a_constant_number_of_queries(
    api: Api, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    api("post", STATUSES, [status(f"m{number}", 1) for number in range(1000)])
    with django_assert_max_num_queries(30):
        api("post", STATUSES, [status(f"m{number}", 1) for number in range(1000)])
    with django_assert_max_num_queries(50):
        api("post", STATUSES, [status(f"m{number}", 1, payment_sum=2) for number in range(1000)])


class TestADroppedLine:
    """Altegio may still be at what was sent: a newer status of the same message would be undone by it."""

    @pytest.fixture(params=[("drop_after", {}), ("error", {"status": 504})], ids=["no answer", "504"])
    def dropped(
        self, request: Any, api: Api, altegio: Sandbox, work: Callable[..., None], settings: Settings
    ) -> None:
        settings.ALTEGIO_SETTLING_SECONDS = 20
        kind, options = request.param
        altegio.fault(kind, "sms_statuses", remaining=1, **options)
        api("post", STATUSES, [status("m1", 8)])
        work(rounds=1)
        assert calls(altegio) == [[("m1", 8)]]

    def test_other_messages_wait_for_nothing(
        self, api: Api, altegio: Sandbox, work: Callable[..., None], dropped: Any
    ) -> None:
        api("post", STATUSES, [status("m2", 8), status("m1", 1)])
        work(rounds=1)
        assert [("m2", 8)] in calls(altegio)
        assert ("m1", 1) not in sent(altegio)

    def test_a_newer_status_of_the_same_message_goes_when_altegio_is_surely_done(
        self, api: Api, altegio: Sandbox, work: Callable[..., None], dropped: Any, time_machine: Any
    ) -> None:
        api("post", STATUSES, [status("m1", 1)])
        api("post", STATUSES, [status("m3", 4)])
        time_machine.move_to(timezone.now() + timedelta(seconds=3))
        work(rounds=3)
        assert ("m1", 1) not in sent(altegio)
        assert ("m3", 4) in sent(altegio)
        time_machine.move_to(timezone.now() + timedelta(seconds=25))
        work()
        assert sent(altegio)[-1] == ("m1", 1)
        assert not MessageStatus.objects.exclude(batch__state="sent").exists()

    def test_while_the_old_one_finds_no_answer_the_newer_waits(
        self, api: Api, altegio: Sandbox, work: Callable[..., None], dropped: Any, time_machine: Any
    ) -> None:
        altegio.fault("drop_before", "sms_statuses", remaining=1)
        api("post", STATUSES, [status("m1", 1)])
        time_machine.move_to(timezone.now() + timedelta(seconds=25))
        work(rounds=2)
        time_machine.move_to(timezone.now() + timedelta(seconds=60))
        work()
        assert [number for _id, number in sent(altegio)][-1] == 1
        assert not OutgoingCall.objects.filter(state="queued").exists()


DRAWS = pytest.mark.parametrize("drawn", [[0.0], [0.9], [0.0, 0.9], [0.9, 0.0, 0.0], [0.0, 0.9, 0.9]], ids=str)


class TestARefusedList:
    """A list that Altegio refuses is taken apart in many calls: they hold up nobody but their own messages."""

    @pytest.fixture(autouse=True)
    def _few_in_a_call(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(relay_batches, "MAX_IN_A_CALL", 16)
        monkeypatch.setattr(relay_batches, "random", Random(1).random)

    @pytest.fixture
    def bad(self, api: Api, altegio: Sandbox) -> list[str]:
        names = [f"bad{number}" for number in range(16)]
        for name in names:
            altegio.refuse_sms(name)
        api("post", STATUSES, [status(name, 4) for name in names])
        return names

    def test_what_was_not_refused_goes_between_its_parts(
        self, api: Api, altegio: Sandbox, work: Callable[..., None], bad: list[str]
    ) -> None:
        for number in range(40):
            api("post", STATUSES, [status(f"m{number}", 4)])
        work()
        told = calls(altegio)
        assert all(told.index([(f"m{number}", 4) for number in some]) < 30 for some in chunks(40))
        assert StatusBatch.objects.filter(state="refused").count() == len(bad)

    def test_its_parts_end_though_others_come_all_the_time(
        self, api: Api, altegio: Sandbox, work: Callable[..., None], bad: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        others, lots = iter(range(200)), Random(7)

        def draw() -> float:
            if (number := next(others, None)) is not None:
                take_statuses([cast("ReportedStatus", status(f"m{number}", 4))])
            return lots.random()

        monkeypatch.setattr(relay_batches, "random", draw)
        work()
        told = calls(altegio)
        last_bad = max(place for place, call in enumerate(told) if call[0][0] in bad)
        assert len(told[0]) == len(bad)
        assert last_bad < len(told) - 20, "others came still"
        assert len(sent(altegio)) == 200

    def test_the_good_ones_in_it_are_found_before_each_bad_one_stands_alone(
        self, api: Api, altegio: Sandbox, work: Callable[..., None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in range(8):
            altegio.refuse_sms(f"bad{number}")
        for name in ("bad", "good"):
            api("post", STATUSES, [status(f"{name}{number}", 4) for number in range(8)])
        monkeypatch.setattr(relay_batches, "random", lambda: 0.0)
        work()
        assert calls(altegio).index([(f"good{number}", 4) for number in range(8)]) <= 2

    @DRAWS
    def test_the_statuses_of_a_message_keep_their_order(
        self,
        api: Api,
        altegio: Sandbox,
        work: Callable[..., None],
        monkeypatch: pytest.MonkeyPatch,
        drawn: list[float],
    ) -> None:
        draws = cycle(drawn)
        monkeypatch.setattr(relay_batches, "random", lambda: next(draws))
        monkeypatch.setattr(relay_batches, "MAX_IN_A_CALL", 6)
        names = [f"m{number}" for number in range(5)]
        altegio.refuse_sms("bad")
        for number, bad in ((8, "bad"), (4, "good"), (1, "bad")):
            api("post", STATUSES, [status(name, number) for name in (*names[:3], bad, *names[3:])])
        work()
        for name in names:
            assert [number for told_of, number in sent(altegio) if told_of == name] == [8, 4, 1]
        assert StatusBatch.objects.filter(state="refused").count() == 2
        assert not StatusBatch.objects.filter(state="waiting").exists()


def chunks(count: int) -> list[range]:
    """So many, as they go in calls of 16."""
    return [range(start, min(start + 16, count)) for start in range(0, count, 16)]
