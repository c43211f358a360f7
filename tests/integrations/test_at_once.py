"""Two systems at once: the database's constraints decide, and nobody sees an error."""

import threading

import pytest
from django.db import connections

from integrations.models import Chain, MessageStatus, OutgoingCall, SavedCall, StatusBatch
from integrations.sms.reading import read_statuses
from integrations.sms.taking import take_statuses
from integrations.telephony.saved_calls import save_call

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*works):
    """Run them in threads that start together; their results, or the errors they raised."""
    gate, results = threading.Barrier(len(works)), []

    def run(work):
        gate.wait()
        try:
            results.append(work())
        except Exception as error:
            results.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_one_call_id_from_two_systems_is_one_call():
    chain = Chain.objects.create(altegio_id=501, crm_token="crm")
    fields = {"type": "incoming", "phone": "+447700900123", "diversion": "+442071838750"}
    results = at_once(*[lambda: save_call(chain, call_id="pbx-1", **fields)[1]] * 4)
    assert sorted(results) == [False, False, False, True]
    assert SavedCall.objects.count() == OutgoingCall.objects.count() == 1


def test_the_same_statuses_in_another_order_are_stored_once():
    items = [{"id": f"m{number}", "status": 4} for number in range(300)]
    results = at_once(
        lambda: take_statuses(read_statuses(items)),
        lambda: take_statuses(read_statuses(items[::-1])),
        lambda: take_statuses(read_statuses(items)),
    )
    assert sorted(results) == [0, 0, 300]
    assert MessageStatus.objects.count() == 300
    assert StatusBatch.objects.get().size == 300
    assert OutgoingCall.objects.filter(state="queued").count() == 1
