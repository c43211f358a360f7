"""A location's calls go out under nobody else's CRM token, after a change of owner and beside other applications."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from integrations.activation import staff
from integrations.alerts.models import Alert
from integrations.connections.models import Application, Chain, Connection, Location
from integrations.lifecycle.on_uninstall import end_telephony
from integrations.status_sync.disconnect import disconnect
from integrations.telephony.chains import confirm_chain
from integrations.telephony.models import PhoneCall
from sandbox import Sandbox
from tests.integrations.telephony.calling import EMMAS, MARIAS, payload, ring
from tests.marketplace import AURORA_1, AURORA_2, AURORA_CHAIN, EMMA, MARIA, MEDVED_1, TELEPHONY
from tests.not_none import not_none
from tests.response import Api
from tests.working import Work

pytestmark = pytest.mark.django_db
SMS = SECOND = 1


@pytest.fixture
def sold(altegio: Sandbox, come: Callable[..., None]) -> Callable[..., None]:
    """Return a function: Emma disconnects the location, and Maria connects it with this token."""

    def run(*, token: str | None = None, chain: int | None = AURORA_CHAIN) -> None:
        come(AURORA_1, EMMA, token=EMMAS)
        altegio.uninstall(AURORA_1, application_id=TELEPHONY)
        come(AURORA_1, MARIA, token=token, chain=chain)

    return run


def live(salon_id: int = AURORA_1) -> Connection:
    return Connection.objects.get(location__altegio_id=salon_id, state="active", application__kind="telephony")


def claim_of(user_id: int) -> Connection:
    return Connection.objects.filter(claimant__identities__altegio_user_id=user_id).latest("pk")


def test_confirming_a_chain_leaves_owners_of_other_applications_alone(
    come: Callable[..., None],
) -> None:
    come(AURORA_1, EMMA, token=EMMAS)
    come(AURORA_1, MARIA, application=SMS)
    come(MEDVED_1, MARIA, token=MARIAS)
    confirm_chain(not_none(live().location.chain).pk)
    assert not_none(live(MEDVED_1).location.chain).crm_token == MARIAS


@pytest.mark.parametrize("chain", [AURORA_CHAIN, 777, None])
def test_a_new_owner_without_a_token_does_not_use_the_former_owners(
    api: Api, altegio: Sandbox, sold: Callable[..., None], work: Work, chain: int | None
) -> None:
    sold(chain=chain)
    assert not_none(live().owner).identities.get().altegio_user_id == MARIA

    assert ring(api, salon_id=AURORA_1) == 409
    work()
    assert payload(altegio, "event") == []


@pytest.mark.parametrize("named", [{}, {"salon_group_id": AURORA_CHAIN}])
def test_a_location_that_left_the_chain_does_not_ring_there_by_its_number(
    api: Api,
    altegio: Sandbox,
    sold: Callable[..., None],
    come: Callable[..., None],
    work: Work,
    named: dict[str, Any],
) -> None:
    """Emma's other location keeps the chain; the exchange still sends its number with the sold location."""
    come(AURORA_2, EMMA, token=EMMAS)
    sold()

    assert ring(api, salon_id=AURORA_1, **named) == 409
    assert ring(api, salon_id=AURORA_2, **named) == 202
    work()
    assert payload(altegio, "event") == [EMMAS]


def test_waiting_calls_of_the_former_owner_do_not_go_to_the_new_one(
    altegio: Sandbox, come: Callable[..., None], work: Work, sold: Callable[..., None]
) -> None:
    come(AURORA_1, EMMA, token=EMMAS)
    late = PhoneCall.objects.create(chain=Chain.objects.get(), call_id="1", state="failed")
    sold(token=MARIAS)

    assert not_none(live().location.chain).crm_token == MARIAS
    late.refresh_from_db()
    assert late.chain.crm_token == EMMAS


def test_an_owner_who_returns_after_another_has_their_own_token_again(
    api: Api,
    altegio: Sandbox,
    come: Callable[..., None],
    work: Work,
    sold: Callable[..., None],
) -> None:
    sold(token=MARIAS)
    altegio.uninstall(AURORA_1, application_id=TELEPHONY)
    come(AURORA_1, EMMA, token=EMMAS)

    ring(api, salon_id=AURORA_1)
    work()
    assert payload(altegio, "event") == [EMMAS]


def test_an_owner_who_returns_without_a_token_keeps_their_own(
    api: Api, altegio: Sandbox, come: Callable[..., None], work: Work
) -> None:
    come(AURORA_1, EMMA, token=EMMAS)
    altegio.uninstall(AURORA_1, application_id=TELEPHONY)
    come(AURORA_1, EMMA)

    ring(api, salon_id=AURORA_1)
    work()
    assert payload(altegio, "event") == [EMMAS]


@pytest.mark.parametrize("token", [MARIAS, None])
def test_a_location_moved_by_staff_takes_the_new_owners_token(
    api: Api,
    altegio: Sandbox,
    come: Callable[..., None],
    work: Work,
    support: User,
    token: str | None,
) -> None:
    come(AURORA_1, EMMA, token=EMMAS)
    come(AURORA_1, MARIA, token=token, grant=False)
    staff.give_to_claimant(claim_of(MARIA).pk, support)

    assert not_none(live().owner).identities.get().altegio_user_id == MARIA
    assert ring(api, salon_id=AURORA_1) == (202 if token else 409)
    work()
    assert payload(altegio, "event") == ([MARIAS] if token else [])


def test_a_token_of_a_disputed_claim_counts_once_staff_have_decided(
    api: Api, altegio: Sandbox, come: Callable[..., None], work: Work, support: User
) -> None:
    come(AURORA_1, MARIA, token=MARIAS, then_work=False)
    Connection.objects.update(is_disputed=True)
    work()
    assert Connection.objects.get().owner is None
    assert ring(api, salon_id=AURORA_1) == 404
    assert payload(altegio, "setup") == []

    staff.give_to_claimant(Connection.objects.get().pk, support)
    assert ring(api, salon_id=AURORA_1) == 202
    work()
    assert payload(altegio, "event") == [MARIAS]


def test_another_persons_application_for_something_else_takes_no_telephony(
    api: Api, altegio: Sandbox, come: Callable[..., None], work: Work
) -> None:
    Application.objects.create(altegio_id=SMS, kind="sms")
    come(AURORA_1, EMMA, token=EMMAS)
    come(AURORA_1, MARIA, token=MARIAS, application=SMS)
    assert Connection.objects.filter(state="active").count() == 2

    ring(api, salon_id=AURORA_1)
    work()
    assert payload(altegio, "event") == [EMMAS]


def test_another_persons_application_takes_no_telephony_while_the_owner_is_away(
    api: Api, altegio: Sandbox, come: Callable[..., None], work: Work
) -> None:
    Application.objects.create(altegio_id=SMS, kind="sms")
    come(AURORA_1, EMMA, token=EMMAS)
    altegio.uninstall(AURORA_1, application_id=TELEPHONY)
    come(AURORA_1, MARIA, token=MARIAS, application=SMS)

    ring(api, salon_id=AURORA_1)
    work()
    assert MARIAS not in payload(altegio, "event")


def test_another_persons_second_telephony_replaces_no_live_one_and_alerts(
    api: Api, altegio: Sandbox, come: Callable[..., None], work: Work
) -> None:
    Application.objects.create(altegio_id=SECOND, kind="telephony")
    come(AURORA_1, EMMA, token=EMMAS)
    come(AURORA_1, MARIA, token=MARIAS, application=SECOND)

    ring(api, salon_id=AURORA_1)
    work()
    assert payload(altegio, "event") == [EMMAS]
    assert Alert.objects.filter(key__startswith="crm-token:").exists()


def test_another_application_lends_no_token_to_the_persons_own_locations(
    api: Api, altegio: Sandbox, come: Callable[..., None], work: Work
) -> None:
    Application.objects.create(altegio_id=SMS, kind="sms")
    come(AURORA_1, EMMA, token=EMMAS)
    come(AURORA_1, MARIA, application=SMS)
    come(MEDVED_1, MARIA)

    assert ring(api, salon_id=MEDVED_1) == 409
    assert not_none(Location.objects.get(altegio_id=AURORA_1).chain).crm_token == EMMAS


def test_a_new_token_does_not_reach_a_location_with_anothers_telephony(
    api: Api, altegio: Sandbox, come: Callable[..., None], work: Work
) -> None:
    Application.objects.create(altegio_id=SMS, kind="sms")
    come(AURORA_1, EMMA, token=EMMAS)
    come(AURORA_1, MARIA, application=SMS)
    come(MEDVED_1, MARIA, token=MARIAS)

    ring(api, salon_id=AURORA_1)
    work()
    assert payload(altegio, "event") == [EMMAS]


def test_a_token_that_altegio_refuses_stops_no_other_owners_calls(
    api: Api, altegio: Sandbox, come: Callable[..., None], work: Work
) -> None:
    come(AURORA_1, EMMA, token=EMMAS)
    come(MEDVED_1, MARIA, token="ended")
    Chain.objects.update(telephony="on")
    for salon_id in (MEDVED_1, AURORA_1):
        ring(api, salon_id=salon_id)
    work()
    assert sorted(payload(altegio, "event")) == [EMMAS, "ended"]
    assert not_none(Location.objects.get(altegio_id=AURORA_1).chain).notification_days.get().shown == 1


def test_disconnecting_one_location_leaves_the_token_of_the_owners_others(
    api: Api, altegio: Sandbox, come: Callable[..., None], work: Work
) -> None:
    come(AURORA_1, EMMA, token=EMMAS)
    come(AURORA_2, EMMA)
    disconnect(live(AURORA_1).pk, by=None, why="The owner leaves.")
    work()
    ring(api, salon_id=AURORA_2)
    work()
    assert payload(altegio, "event") == [EMMAS]


def test_telephony_goes_on_with_a_connection_that_had_not_ended(
    altegio: Sandbox, come: Callable[..., None], work: Work, support: User
) -> None:
    """The owner's token has long been known: the arrivals may have been deleted since."""
    come(AURORA_1, EMMA, token=EMMAS)
    connection = live()
    Connection.objects.update(state="uninstalled")
    end_telephony(connection)
    work()
    connection.arrivals.update(chain_id_given=None, crm_token="")
    staff.ask_altegio(connection.pk)
    work()
    assert not_none(live().location.chain).crm_token == EMMAS
    assert not_none(live().location.chain).telephony == "on"
    assert payload(altegio, "setup") == [EMMAS] * 3


def two_tokens() -> Any:
    return Alert.objects.filter(key__startswith="two-tokens:", cleared_at=None)


def test_the_alert_about_a_second_token_ends_when_staff_move_its_location(
    come: Callable[..., None], support: User
) -> None:
    come(AURORA_1, EMMA, token=EMMAS)
    come(AURORA_2, EMMA, token="crm-new")
    assert two_tokens().exists()
    come(AURORA_2, MARIA, token=MARIAS, grant=False)
    staff.give_to_claimant(claim_of(MARIA).pk, support)
    assert not two_tokens().exists()


def test_the_alert_about_a_second_token_ends_when_anothers_telephony_takes_over(
    altegio: Sandbox, come: Callable[..., None]
) -> None:
    """Another application of the owner stays connected there, so they are still an owner of the location."""
    Application.objects.create(altegio_id=SMS, kind="sms")
    come(AURORA_2, EMMA, token=EMMAS)
    come(AURORA_2, EMMA, application=SMS, chain=None)
    come(AURORA_1, EMMA, token="crm-new")
    assert two_tokens().exists()
    altegio.uninstall(AURORA_2, application_id=TELEPHONY)
    come(AURORA_2, MARIA, token=MARIAS)
    assert not_none(live(AURORA_2).owner).identities.get().altegio_user_id == MARIA
    assert not two_tokens().exists()
