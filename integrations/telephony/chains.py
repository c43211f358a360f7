"""A chain's telephony: its secret, and switching it on once for each chain."""

from django.db import transaction
from django.db.models import Q

from integrations.alarms.models import Alarm
from integrations.alarms.raising import raise_alarms
from integrations.connect.models import Arrival
from integrations.connections import touch
from integrations.models.connection import LIVE, Connection
from integrations.models.place import Chain
from integrations.telephony.kinds import switch_telephony


def adopt_chain(connection: Connection) -> None:
    """Take over the chain and the CRM token that came along with an accepted connection.

    They stood unsigned in the redirect. So where the chain has live locations of other people and none
    of this owner's, a token that differs is not believed: staff are told.
    """
    arrival = _newest_arrival(connection)
    if arrival is None or arrival.chain_id_given is None:
        return
    chain = _locked_chain(arrival.chain_id_given)
    may_change = _may_speak_for(chain, connection)
    if connection.location.chain_id != chain.pk:
        touch(Connection.objects.filter(location=connection.location))
        connection.location.chain = chain
        connection.location.save(update_fields=["chain"])
    if arrival.crm_token and arrival.crm_token != chain.crm_token:
        if not may_change:
            _tell_staff(connection, f"arrived with another CRM token than chain {chain} has")
            return
        chain.crm_token = arrival.crm_token
        chain.save(update_fields=["crm_token"])
        switch_telephony(chain, on=True)
    elif chain.crm_token and chain.telephony not in (Chain.Telephony.ON, Chain.Telephony.ENABLING):
        switch_telephony(chain, on=True)


def renew_token(connection: Connection) -> None:
    """The owner is back at a live connection of theirs: a CRM token that has changed replaces the old one.

    By the same rule as at the acceptance; but a location is moved to another chain by an acceptance only.
    """
    arrival, chain = _newest_arrival(connection), connection.location.chain
    if arrival is None or not arrival.crm_token:
        return
    if chain is not None and chain.altegio_id != arrival.chain_id_given:
        _tell_staff(connection, f"arrived with the CRM token of another chain than {chain}")
        return
    adopt_chain(connection)


@transaction.atomic
def switch_on_again(chain_id: int) -> bool:
    """Staff try a refused switch once more. Returns whether there was something to switch on."""
    chain = Chain.objects.select_for_update(no_key=True).get(pk=chain_id)
    alive = Connection.objects.filter(location__chain=chain, state__in=LIVE).exists()
    if chain.telephony != Chain.Telephony.FAILED or not alive or not chain.crm_token:
        return False
    switch_telephony(chain, on=True)
    return True


def _newest_arrival(connection: Connection) -> Arrival | None:
    """The arrival whose chain and token count, if one carried a chain."""
    return connection.arrivals.exclude(chain_id_given=None).order_by("-last_seen_at").first()


def _tell_staff(connection: Connection, what: str) -> None:
    text = f"{connection}: {what}; it was not taken over."
    raise_alarms([(Alarm.Kind.REVIEW, f"crm-token:{connection.pk}", text, connection)])


def _locked_chain(altegio_id: int) -> Chain:
    Chain.objects.get_or_create(altegio_id=altegio_id)
    return Chain.objects.select_for_update(no_key=True).get(altegio_id=altegio_id)


def _may_speak_for(chain: Chain, connection: Connection) -> bool:
    alive = Connection.objects.filter(location__chain=chain, state__in=LIVE).exclude(pk=connection.pk)
    if connection.owner_id is None:
        return not alive.exists()
    return not alive.exists() or alive.filter(Q(owner=connection.owner_id)).exists()
