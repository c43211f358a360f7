"""A command that waits for its calls does not wait for ever."""

import pytest
from django.core.management.base import CommandError

from integrations.outbox import waiting_command
from integrations.outbox.waiting_command import wait_until_sent


def test_a_command_ends_where_altegio_refuses_the_partner_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting_command, "token_is_stopped", lambda: True)
    with pytest.raises(CommandError, match="refuses the partner token"):
        wait_until_sent(lambda: 1, 1)


def test_a_command_goes_on_once_nothing_is_left() -> None:
    left = iter([0])
    wait_until_sent(lambda: next(left), 3)
    assert list(left) == []
