"""The table of states in docs/architecture.md is the code's, and each of its rows happens."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from integrations.connections.models import Connection, ConnectionChange, EndedBy, State
from integrations.connections.transitions import MAY_FOLLOW, TransitionNotAllowedError, move
from sandbox import Sandbox
from tests.integrations.connect.state_changes import PLAYS, World
from tests.marketplace import AURORA_1, arrive
from tests.working import Work

pytestmark = pytest.mark.django_db
ROW = re.compile(r"^\| (\w+) \| (\w+) \| (\w+) \| (.+) \|$", re.MULTILINE)


def rows() -> list[tuple[str, str, str]]:
    text = (Path(settings.BASE_DIR) / "docs" / "architecture.md").read_text()
    return [(before, after, mover) for before, after, mover, _when in ROW.findall(text) if before in set(State)]


def test_the_table_holds_what_the_code_allows() -> None:
    allowed = {(before.value, after.value) for before, followers in MAY_FOLLOW.items() for after in followers}
    assert {(before, after) for before, after, _mover in rows()} == allowed


@pytest.mark.parametrize(("before", "after", "mover"), rows())
def test_a_row_happens_as_it_is_written(
    client: Client, altegio: Sandbox, work: Work, before: str, after: str, mover: str
) -> None:
    world = World(client, altegio, work)
    PLAYS[before, after](world)
    change = ConnectionChange.objects.filter(from_state=before, to_state=after).first()
    assert change is not None
    assert (change.by == world.support) is (mover == "staff")


@pytest.mark.parametrize("to", [State.GRANTED, State.ACTIVE, State.FROZEN])
def test_only_staff_move_a_connection_that_staff_ended(client: Client, altegio: Sandbox, to: State) -> None:
    arrive(client, altegio, AURORA_1)
    ended = Connection.objects.get()
    move(ended, State.FAILED, "Staff decided.", ended_by=EndedBy.STAFF)
    with pytest.raises(TransitionNotAllowedError):
        move(ended, to, "By itself.")
