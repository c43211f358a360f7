"""The signed name is compared with the location's title, by whichever call that comes."""

from collections.abc import Callable

import pytest
from django.test import Client

from integrations.alerts.models import Alert
from integrations.connections.models import Application, Connection
from integrations.location_profiles.refresh import refresh_profiles
from integrations.reconciliation.models import Reconciliation
from integrations.reconciliation.start import start_run
from integrations.user_tokens.models import ApplicationToken
from sandbox import Sandbox
from tests.marketplace import AURORA_1, EMMA, arrive
from tests.working import Work

pytestmark = pytest.mark.django_db


def by_the_nightly_list(work: Work) -> None:
    start_run(Reconciliation.Trigger.NIGHTLY)
    work()


def by_a_look_with_a_token(work: Work) -> None:
    ApplicationToken.objects.create(application=Application.objects.get(), token="the-system-users")
    assert refresh_profiles() == 1
    work()


ways = pytest.mark.parametrize("learn", [by_the_nightly_list, by_a_look_with_a_token])


@ways
def test_a_name_that_does_not_fit_is_found_though_the_list_lagged(
    client: Client, altegio: Sandbox, work: Work, learn: Callable[..., None]
) -> None:
    altegio.grant(AURORA_1, user_id=EMMA)
    url = altegio.arrival_url(AURORA_1, user_id=EMMA)
    altegio.world.locations[AURORA_1].title = "Another place"
    altegio.world.locations[AURORA_1].public_title = ""
    altegio.fault("error", "salons", status=403)
    client.get(url[url.index("/connect/") :])
    work()
    assert Connection.objects.get().state == "active"
    assert not Alert.objects.exists()
    learn(work)
    connection = Connection.objects.get()
    assert "but the location is called “Another place”" in connection.review
    assert Alert.objects.get(kind="review").connection == connection


@ways
def test_an_owner_reads_the_title_though_the_list_lagged(
    client: Client, altegio: Sandbox, work: Work, learn: Callable[..., None]
) -> None:
    altegio.fault("error", "salons", status=403)
    arrive(client, altegio, AURORA_1)
    work()
    assert Connection.objects.get().title == ""
    learn(work)
    assert altegio.world.location(AURORA_1).title in Connection.objects.get().title
    assert not Alert.objects.exists()
