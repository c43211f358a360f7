"""Fixture: an owner who connects by a link with a chain and a CRM token."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from integrations.connections.models import Application
from sandbox import Sandbox
from tests.integrations.telephony.calling import link
from tests.marketplace import AURORA_CHAIN, TELEPHONY
from tests.working import Work


@pytest.fixture
def come(client: Client, altegio: Sandbox, work: Work) -> Callable[..., None]:
    """Return a function by which an owner connects, by a link with this chain and token."""
    Application.objects.get_or_create(altegio_id=TELEPHONY, defaults={"kind": "telephony"})

    def run(
        salon_id: Any,
        user_id: Any,
        *,
        chain: Any = AURORA_CHAIN,
        token: Any = None,
        grant: bool = True,
        then_work: bool = True,
        application: Any = TELEPHONY,
    ) -> None:
        if grant:
            altegio.grant(salon_id, application_id=application, user_id=user_id)
        client.get(link(altegio, salon_id, user_id, chain=chain, token=token, application=application))
        if then_work:
            work()

    return run
