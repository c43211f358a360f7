"""The chaos program itself: a seed is a plan, a small one is played to its end, and broken promises are seen."""

from collections.abc import Callable, Iterator

import pytest

from chaos.invariants import broken
from chaos.plan import SMS, TELEPHONY, Act, Fault, Plan, StoryPlan, draw
from chaos.playing import Result, play
from chaos.servers import MissingServerError, find_postgres, find_redis
from chaos.stage import Stage


def missing_program() -> str:
    try:
        find_postgres()
        find_redis()
    except MissingServerError as missing:
        return str(missing)
    return ""


def test_a_seed_is_always_the_same_plan() -> None:
    assert draw(7) == draw(7) != draw(8)
    assert 100 <= draw(7).locations <= 300


def acts(story: int, *names: str) -> tuple[Act, ...]:
    return tuple(Act(name, 0, 0.0, number, 0.5) for number, name in enumerate(names, story * 100))


ORDINARY = ("pay", "names", "statuses", "uninstall", "reconnect", "stranger")
TRICKLE = {"kind": "trickle_body_after", "call": "status", "seconds": 0.2, "remaining": 2}
SMALL = Plan(
    seed=0,
    altegio={"callback_copies": 2},
    stories=(
        StoryPlan(0, SMS, 3, 0.0, "signed", acts(0, *ORDINARY)),
        StoryPlan(1, TELEPHONY, 2, 0.0, "signed", acts(1, "save_call", "poison")),
        StoryPlan(2, SMS, 1, 0.0, "beset", acts(2, "sell")),
        StoryPlan(3, SMS, 1, 0.0, "sign-up", acts(3, "sell")),
    ),
    faults=(
        Fault("altegio", "html_after", 0.0, 1.0, {"kind": "html_after", "call": "activate", "remaining": 2}),
        Fault("altegio", "trickle_body_after", 0.0, 1.0, TRICKLE),
        Fault("mail", "silent", 0.1, 8.0),
        Fault("worker-1", "killed", 0.2),
        Fault("redis", "emptied", 0.5),
        Fault("partner", "refuses", 0.0, 1.0),
        Fault("partner", "closes", 0.3, 1.0),
        Fault("partner", "silent", 0.6, 3.0),
    ),
)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    if missing := missing_program():
        pytest.skip(missing)
    stage = Stage(tmp_path_factory.mktemp("chaos") / "stage")
    yield stage
    stage.close()


@pytest.fixture(scope="module")
def played(stage: Stage) -> Result:
    return play(stage, SMALL)


def test_a_small_seed_holds(played: Result) -> None:
    assert played.broken == []


def lose_a_connection(stage: Stage, salon_id: int) -> None:
    stage.altegio.uninstall(salon_id)


def lose_a_payment(stage: Stage, _salon_id: int) -> None:
    stage.query("DELETE FROM billing_payment")


def pay_unasked(stage: Stage, salon_id: int) -> None:
    stage.altegio.pay(salon_id)


def lose_statuses(stage: Stage, _salon_id: int) -> None:
    del stage.altegio.world.state.sms_statuses[0]


def lose_a_name(stage: Stage, salon_id: int) -> None:
    stage.altegio.world.installed(SMS, salon_id).short_names.pop()


def lose_a_saved_call(stage: Stage, _salon_id: int) -> None:
    stage.altegio.world.state.telephony.clear()


def take_a_location(stage: Stage, _salon_id: int) -> None:
    stage.query("UPDATE connections_connection SET owner_id = (SELECT min(id) FROM accounts_user)")


def lose_an_event(stage: Stage, _salon_id: int) -> None:
    received = stage.partner._received
    del received[next(key for key, event in received.items() if event.type == "connection.activated")]


def lose_news_of_a_payment(stage: Stage, _salon_id: int) -> None:
    received = stage.partner._received
    for key in [key for key, event in received.items() if event.type.startswith("payment.")]:
        del received[key]


def leave_a_call(stage: Stage, _salon_id: int) -> None:
    stage.query(
        "UPDATE outbox_outgoingcall SET state = 'unconfirmed' "
        "WHERE id = (SELECT min(id) FROM outbox_outgoingcall WHERE kind = 'activate')"
    )


def strand_a_claim(stage: Stage, _salon_id: int) -> None:
    stage.query(
        "UPDATE connections_connection SET state = 'granted' WHERE id = (SELECT min(id) FROM connections_connection)"
    )


@pytest.mark.parametrize(
    ("damage", "seen_by"),
    [
        (lose_an_event, "the_partner_was_told_of_each_change"),
        (lose_news_of_a_payment, "the_partner_was_told_how_each_payment"),
        (pay_unasked, "payments_are_equal"),
        (lose_a_payment, "payments_are_equal"),
        (lose_a_name, "sender_names_are_equal"),
        (lose_statuses, "no_status_is_lost"),
        (lose_a_saved_call, "calls_were_told"),
        (lose_a_connection, "states_are_equal"),
        (take_a_location, "nobody_has_what_is_not_theirs"),
        (strand_a_claim, "nothing_rests_unseen"),
        (leave_a_call, "nothing_is_stuck"),
    ],
)
def test_a_broken_promise_is_seen(
    stage: Stage, played: Result, damage: Callable[[Stage, int], None], seen_by: str
) -> None:
    before = broken(stage, played.stories)
    damage(stage, played.stories[0].locations[0])
    after = broken(stage, played.stories)
    assert [text for text in after if text not in before and text.startswith(seen_by)]
