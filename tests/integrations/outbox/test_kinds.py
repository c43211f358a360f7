"""Every registered kind of call keeps these rules."""

import dis

import pytest

from integrations.outbox.call_kinds import CALL_KINDS, CallKind, UnverifiableError
from integrations.outbox.models import OutgoingCall
from integrations.outbox.queue import new_call


@pytest.mark.parametrize("name", CALL_KINDS.names())
def test_a_kind_that_must_not_be_repeated_can_ask_what_happened_or_is_not_sent_again(name: str) -> None:
    kind = type(CALL_KINDS[name])

    asks = kind.question is not CallKind.question and kind.judge is not CallKind.judge

    assert kind.idempotent or asks or _says_that_nobody_knows(CALL_KINDS[name])


@pytest.mark.parametrize("name", CALL_KINDS.names())
def test_a_recorded_acceptance_suffices_only_if_the_answer_is_not_read(name: str) -> None:
    kind = type(CALL_KINDS[name])

    reads = any(each.argval == "answer" for each in dis.get_instructions(kind.accepted))

    assert kind.yes_is_enough is not reads


def test_only_an_activation_has_no_time_to_let_altegio_settle() -> None:
    assert [name for name in CALL_KINDS.names() if CALL_KINDS[name].settles_at_once] == ["activate"]


def test_an_idempotent_kind_sets_a_value_or_reports_an_event() -> None:
    """The newest of two values must remain; of two events neither undoes the other."""
    repeated = {name for name in CALL_KINDS.names() if CALL_KINDS[name].idempotent and CALL_KINDS[name].yes_is_enough}
    set_a_value = {name for name in CALL_KINDS.names() if CALL_KINDS[name].last_write_wins}

    assert set_a_value == repeated - {"call_notification", "chat_message", "sms_statuses"}


@pytest.mark.parametrize("name", [name for name in CALL_KINDS.names() if CALL_KINDS[name].last_write_wins])
def test_a_kind_that_sets_a_value_has_an_order(name: str) -> None:
    with pytest.raises(ValueError, match="ordering key"):
        new_call(type(CALL_KINDS[name]), "a key")


def _says_that_nobody_knows(kind: CallKind) -> bool:
    try:
        kind.question(OutgoingCall())
    except UnverifiableError:
        return True
    except NotImplementedError:
        return False
    return False
