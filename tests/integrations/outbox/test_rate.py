"""No second and no minute exceeds the call budget, wherever the calls are made."""

import pytest
import time_machine
from pytest_django.fixtures import Settings

from integrations.outbox import rate
from integrations.outbox.models import RateBudget

pytestmark = pytest.mark.django_db


class Clock:
    now = 1_000_000.0


def taken(slot: rate.Slot | rate.Wait) -> rate.Slot:
    assert isinstance(slot, rate.Slot)
    return slot


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(rate, "_now", lambda: clock.now)
    return clock


@pytest.fixture(autouse=True)
def _limits(settings: Settings) -> None:
    settings.ALTEGIO_REQUESTS_PER_SECOND, settings.ALTEGIO_REQUESTS_PER_MINUTE = 5, 20


def spend(clock: Clock, seconds: float, *, patient: bool = False) -> list[float]:
    """Make every call that the budget allows, answered at once; return when each was made."""
    ends_at, made = clock.now + seconds, []
    while clock.now < ends_at:
        got = rate.take_slot(patient=patient)
        if isinstance(got, rate.Slot):
            made.append(clock.now)
            rate.settle(taken(rate.start(got)))
        else:
            assert got.seconds > 0
            clock.now += got.seconds
    return made


def max_in(stamps: list[float], window: float) -> int:
    return max(sum(start <= stamp < start + window - 1e-6 for stamp in stamps) for start in stamps)


def test_the_budget_is_used_and_never_exceeded(clock: Clock) -> None:
    made = spend(clock, 300)
    assert max_in(made, 1.0) == 5
    assert max_in(made, 60.0) == 20
    assert len(made) == 100


def test_a_question_finds_room_in_the_minute_for_its_call_too(clock: Clock) -> None:
    spend(clock, 3)
    for _ in range(4):
        rate.take_slot()
    clock.now += 3
    assert isinstance(rate.take_slot(followed=True), rate.Wait)
    assert isinstance(rate.take_slot(), rate.Slot)


def test_a_slot_not_used_is_given_back(clock: Clock) -> None:
    slots = [rate.take_slot() for _ in range(5)]
    rate.settle(taken(slots[0]), used=False)
    assert isinstance(rate.take_slot(), rate.Slot)


def free_slots() -> int:
    return sum(isinstance(rate.take_slot(), rate.Slot) for _ in range(6))


def test_a_call_not_sent_yet_may_arrive_now(clock: Clock) -> None:
    rate.take_slot()
    clock.now += 1.5
    assert free_slots() == 4


def test_a_call_counts_from_its_answer(clock: Clock) -> None:
    slot = taken(rate.start(taken(rate.take_slot())))
    clock.now += 0.2
    rate.settle(slot)
    clock.now += 0.95
    assert free_slots() == 4
    clock.now += 0.05
    assert free_slots() == 1


def test_a_slow_answer_holds_no_slot(clock: Clock) -> None:
    rate.start(taken(rate.take_slot()))
    clock.now += rate.TRANSIT + 1
    assert free_slots() == 5


def test_a_slot_that_grew_too_old_is_asked_for_again(clock: Clock) -> None:
    slot = taken(rate.take_slot())
    clock.now += rate.GOOD_FOR + 1.5
    assert free_slots() == 5
    assert isinstance(rate.start(slot), rate.Wait)


def test_a_dead_workers_slot_comes_back(clock: Clock) -> None:
    rate.take_slot()
    clock.now += rate.GOOD_FOR + 1
    assert free_slots() == 5


def test_a_pause_of_altegio_is_everyones(clock: Clock) -> None:
    rate.pause(30)
    assert rate.take_slot() == rate.Wait(30)


def test_a_pause_holds_back_the_call_that_had_its_slot_already(clock: Clock) -> None:
    slot = taken(rate.take_slot())
    rate.pause(30)
    assert rate.start(slot) == rate.Wait(30)


def test_a_slot_that_is_not_counted_any_more_is_asked_for_again(clock: Clock) -> None:
    slot = taken(rate.take_slot())
    RateBudget.objects.update(stamps=[clock.now] * 5)
    assert isinstance(rate.start(slot), rate.Wait)


def test_a_good_slot_starts_however_full_the_budget_is(clock: Clock) -> None:
    slots = [taken(rate.take_slot()) for _ in range(5)]
    assert isinstance(rate.take_slot(), rate.Wait)
    clock.now += 0.5
    assert [rate.start(slot) for slot in slots] == [rate.Slot(clock.now + rate.TRANSIT)] * 5


def test_a_clock_set_back_does_not_block(clock: Clock) -> None:
    spend(clock, 2)
    clock.now -= 3600
    assert isinstance(rate.take_slot(), rate.Slot)


def test_the_budget_outlives_everything_but_the_database(clock: Clock) -> None:
    assert rate.used_in_the_last_minute() == 0
    rate.take_slot()
    assert len(RateBudget.objects.get().stamps) == 1
    with time_machine.travel(0):
        assert rate.used_in_the_last_minute() == 1


def test_patient_calls_are_spread_and_leave_room_for_urgent_ones(clock: Clock, settings: Settings) -> None:
    settings.ALTEGIO_REQUESTS_PER_SECOND, settings.ALTEGIO_REQUESTS_PER_MINUTE = 5, 200
    made = spend(clock, 120, patient=True)
    assert max_in(made, 1.0) == 3
    assert max_in(made, 60.0) == 180
    assert isinstance(rate.take_slot(), rate.Slot)


def test_patient_calls_leave_a_tenth_of_the_minute(clock: Clock) -> None:
    assert max_in(spend(clock, 120, patient=True), 60.0) == 18
    assert isinstance(rate.take_slot(), rate.Slot)


def test_the_smallest_budget_still_sends_patient_calls(clock: Clock, settings: Settings) -> None:
    settings.ALTEGIO_REQUESTS_PER_SECOND = settings.ALTEGIO_REQUESTS_PER_MINUTE = 1
    assert len(spend(clock, 120, patient=True)) == 2
