"""Keys of hand-over tokens are served before they sign, and as long as a token may need them."""

from datetime import timedelta
from functools import partial
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection as database
from django.test import Client
from django.utils import timezone

from integrations.handover.keys import OVERLAP, rotate, signing_key
from integrations.handover.models import SigningKey
from tests.concurrency import at_once

pytestmark = pytest.mark.django_db


def served() -> list[str]:
    return [key["kid"] for key in Client().get("/.well-known/jwks.json").json()["keys"]]


def test_the_first_key_is_made_when_it_is_first_asked_for() -> None:
    (kid,) = served()
    assert signing_key().kid == kid
    assert SigningKey.objects.count() == 1


def test_only_what_is_public_is_served() -> None:
    answer = Client().get("/.well-known/jwks.json")
    (key,) = answer.json()["keys"]
    assert key.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert answer["Cache-Control"] == "public, max-age=600"


def test_the_private_key_is_encrypted_in_its_column() -> None:
    signing_key()
    with database.cursor() as cursor:
        cursor.execute("SELECT private_key FROM handover_signingkey")
        assert "PRIVATE KEY" not in cursor.fetchone()[0]


def test_a_new_key_is_served_before_it_signs_and_the_former_until_no_token_is_left() -> None:
    start = timezone.now()
    with time_machine.travel(start, tick=False) as clock:
        former = signing_key().kid
        successor = rotate().kid
        assert (served(), signing_key().kid) == ([successor, former], former)
        clock.move_to(start + OVERLAP)
        assert (served(), signing_key().kid) == ([successor, former], successor)
        clock.move_to(start + 2 * OVERLAP)
        assert served() == [successor]
        rotate()
        assert SigningKey.objects.count() == 2


def test_no_rotation_begins_before_the_last_one_has_ended() -> None:
    start = timezone.now()
    signing_key()
    call_command("rotate_handover_key", stdout=StringIO())
    with (
        time_machine.travel(start + 2 * OVERLAP - timedelta(minutes=1)),
        pytest.raises(CommandError, match="Nothing"),
    ):
        call_command("rotate_handover_key")
    assert len(served()) == 2


def test_a_key_that_others_may_know_ends_at_once() -> None:
    known = signing_key().kid
    call_command("rotate_handover_key", "--at-once", stdout=StringIO())
    assert signing_key().kid != known
    assert served() == [signing_key().kid]


@pytest.mark.django_db(transaction=True)
def test_several_who_need_the_first_key_at_once_make_one() -> None:
    assert len({key.kid for key in at_once(*[signing_key] * 4)}) == 1


@pytest.mark.django_db(transaction=True)
def test_simultaneous_key_replacements_follow_one_another() -> None:
    signing_key()
    outputs = [StringIO(), StringIO()]
    replace = [
        partial(call_command, "rotate_handover_key", "--at-once", stdout=out, stderr=StringIO()) for out in outputs
    ]
    assert at_once(*replace) == [None, None]
    assert SigningKey.objects.get().generation == 3
    assert any(signing_key().kid in out.getvalue() for out in outputs)
