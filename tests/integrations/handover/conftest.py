"""Fixtures: an owner whose application leads to a cabinet."""

from collections.abc import Callable

import pytest

from integrations.connections.models import Application, Connection

CABINET = "https://cabinet.partner.example/open?from=altegio"


@pytest.fixture
def connection(connect: Callable[..., Connection]) -> Connection:
    """Return Emma's connection, made with Altegio's signature."""
    made = connect()
    Application.objects.update(handover_url=CABINET, name="Aurora SMS")
    Connection.objects.update(external_id="C-1", has_own_external_id=True)
    return Connection.objects.select_related("application", "location", "owner").get(pk=made.pk)
