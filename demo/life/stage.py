"""The context of this life: its interfaces, its plan and its progress."""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

from django.db.models import Q
from tqdm import tqdm

from demo.life.doors import Altegio, Partner, Staff
from demo.life.past import Chronicle
from demo.life.plan import Place, Plan, Story
from integrations.connections.models import UNDECIDED, Connection
from integrations.lifecycle.models import Callback
from integrations.outbox.models import UNFINISHED, OutgoingCall

T = TypeVar("T")
PATIENCE = 60.0


@dataclass
class Stage:
    """Everything that the parts of this life need."""

    altegio: Altegio
    partner: Partner
    staff: Staff
    plan: Plan
    chronicle: Chronicle = field(default_factory=Chronicle)
    chance: Random = field(default_factory=lambda: Random(1))

    def connections(self) -> dict[Place, int]:
        """Return the portal's newest connection at each place."""
        rows = Connection.objects.order_by("pk").values_list("application__altegio_id", "location__altegio_id", "pk")
        return {(application, salon_id): pk for application, salon_id, pk in rows}

    def stories(self, application: int) -> list[Story]:
        """Return the stories of an application whose connection is live to this day."""
        return [story for story in self.plan.stories if story.place[0] == application and story.stays]

    def at_altegio(self, call: str, place: Place) -> None:
        """Do something with a connection at Altegio: uninstall as its owner, freeze as Altegio, …."""
        self.altegio.tell(call, application_id=place[0], salon_id=place[1])

    def is_decided(self) -> bool:
        """Return whether no arrival waits, except those whose activation Altegio does not answer."""
        return not Connection.objects.filter(state__in=UNDECIDED).exclude(self._stuck("")).exists()

    def is_at_rest(self) -> bool:
        """Return whether, moreover, no call to Altegio is unfinished and no callback of Altegio's is unprocessed."""
        calls = OutgoingCall.objects.filter(state__in=UNFINISHED).exclude(self._stuck("connection__"))
        return self.is_decided() and not calls.exists() and not Callback.objects.filter(processed_at=None).exists()

    def _stuck(self, way: str) -> Q:
        return Q(**{f"{way}location__altegio_id__in": [business.salon_ids[0] for business in self.plan.stuck]})


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait until the portal's worker has come so far, but no longer than a minute."""
    ends_at = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < ends_at:
        time.sleep(0.3)


def each(what: str, act: Callable[[T], int], items: Sequence[T], total: int) -> None:
    """Run `act` for each item and show the progress; `act` returns how many of `total` it has done."""
    shape = "  {desc} {n_fmt}/{total_fmt} …"
    pause = 0.5 if sys.stdout.isatty() else 5.0
    with tqdm(total=total, desc=what, bar_format=shape, mininterval=pause, file=sys.stdout) as bar:
        for item in items:
            bar.update(act(item))
