"""Helpers that act between Altegio's answer and its effect in the portal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from integrations.altegio.answers import Answer, Outcome
from integrations.altegio.client import AltegioClient
from integrations.altegio.requests import ApiRequest, Host
from integrations.outbox import executor
from integrations.outbox.call_kinds import CallKind
from integrations.outbox.models import OutgoingCall


@contextmanager
def killed_after_altegios_yes() -> Iterator[None]:
    """Kill the worker when Altegio's acceptance of an activation is recorded and its effect is not."""

    def settle(call: OutgoingCall, kind: CallKind, answer: Answer, *, asking: bool, host: Host = "app") -> None:
        if asking or answer.outcome is not Outcome.ACCEPTED:
            settle_as_ever(call, kind, answer, asking=asking, host=host)

    settle_as_ever = executor._settle
    with patch.object(executor, "_settle", settle):
        yield


@contextmanager
def while_altegio_answers(what: str, happen: Callable[[], Any]) -> Iterator[None]:
    """Call `happen()` once, between Altegio's answer about an installation and the moment when it is read.

    `what`: the end of the call's address after that of the installation's status, or of all applications.
    """
    send = AltegioClient.send
    happened: list[ApiRequest] = []

    def answer(client: AltegioClient, call: ApiRequest) -> Answer:
        answered = send(client, call)
        if call.path.endswith((f"/application/1{what}", f"/application/{what}")) and not happened:
            happened.append(call)
            happen()
        return answered

    with patch.object(AltegioClient, "send", answer):
        yield
    assert happened
