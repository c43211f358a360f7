"""What holds for every kind of call that is registered."""

import dis

import pytest

from integrations.outbox.call_kinds import CALL_KINDS, CallKind, UnverifiableError
from integrations.outbox.models import OutgoingCall


@pytest.mark.parametrize("name", CALL_KINDS.names())
def test_a_kind_that_must_not_be_repeated_can_ask_what_happened_or_is_not_sent_again(name: str) -> None:
    kind = type(CALL_KINDS[name])

    asks = kind.question is not CallKind.question and kind.judge is not CallKind.judge

    assert kind.idempotent or asks or _says_that_nobody_knows(CALL_KINDS[name])


@pytest.mark.parametrize("name", CALL_KINDS.names())
def test_a_yes_on_record_is_enough_exactly_where_nothing_of_the_answer_is_read(name: str) -> None:
    kind = type(CALL_KINDS[name])

    reads = any(each.argval == "answer" for each in dis.get_instructions(kind.accepted))

    assert kind.yes_is_enough is not reads


def test_only_an_activation_has_no_time_to_let_altegio_settle() -> None:
    assert [name for name in CALL_KINDS.names() if CALL_KINDS[name].settles_at_once] == ["activate"]


def _says_that_nobody_knows(kind: CallKind) -> bool:
    try:
        kind.question(OutgoingCall())
    except UnverifiableError:
        return True
    except NotImplementedError:
        return False
    return False
