"""What holds for every kind of call that is registered."""

import pytest

from integrations.outbox.call_kinds import CALL_KINDS, CallKind


@pytest.mark.parametrize("name", CALL_KINDS.names())
def test_a_kind_that_must_not_be_repeated_can_ask_what_happened(name: str) -> None:
    kind = type(CALL_KINDS[name])

    asks = kind.question is not CallKind.question and kind.judge is not CallKind.judge

    assert kind.idempotent or asks
