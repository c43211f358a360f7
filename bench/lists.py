"""The control room's first page and lists, at a thousand, a hundred thousand and a million connections."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402

from accounts.models import User  # noqa: E402
from bench.figures import Figure  # noqa: E402
from bench.filling import Filled, filled  # noqa: E402
from bench.options import Options  # noqa: E402

WARMING = 3
WANTED = 1.3
PAGES = [
    ("first page", "/admin/"),
    ("connections", "/admin/connections/connection/"),
    ("  page 10", "/admin/connections/connection/?p=10"),
    ("  waiting now", "/admin/connections/connection/?state__exact=granted"),
    ("  running out of time", "/admin/connections/connection/?state__exact=granted&deadline=30"),
    ("  conflicts", "/admin/connections/connection/?state__exact=conflict"),
    ("  frozen", "/admin/connections/connection/?state__exact=frozen"),
    ("  to be reviewed", "/admin/connections/connection/?review=yes"),
    ("  of an application", "/admin/connections/connection/?application__id__exact=2"),
    ("  search: number", "/admin/connections/connection/?q=777"),
    ("  search: title", "/admin/connections/connection/?q=Salon+7"),
    ("  search: address", "/admin/connections/connection/?q=person76@"),
    ("state changes", "/admin/connections/connectionchange/"),
    ("  failed today", "/admin/connections/connectionchange/?event=failed&when=today"),
    ("  activated, 14 days", "/admin/connections/connectionchange/?event=activated&when=14d"),
    ("outgoing calls", "/admin/outbox/outgoingcall/"),
    ("  waiting now", "/admin/outbox/outgoingcall/?waiting=yes"),
    ("  calls that fail", "/admin/outbox/outgoingcall/?waiting=failing"),
    ("  of a rare kind", "/admin/outbox/outgoingcall/?kind=uninstall"),
    ("  search: number", "/admin/outbox/outgoingcall/?q=777"),
    ("arrivals", "/admin/connections/arrival/"),
    ("  not registered, today", "/admin/connections/arrival/?registered=no&when=today"),
    ("  must sign in once", "/admin/connections/arrival/?registered=waits"),
    ("  search: number", "/admin/connections/arrival/?q=777"),
    ("locations, search: title", "/admin/connections/location/?q=Salon+7"),
    ("alerts, open", "/admin/alerts/alert/?open=yes"),
    ("subscriptions", "/admin/billing/subscription/"),
    ("  overdue", "/admin/billing/subscription/?due=overdue"),
    ("payments", "/admin/billing/payment/"),
    ("  failed", "/admin/billing/payment/?status__exact=failed"),
    ("  search: number", "/admin/billing/payment/?q=777"),
    ("figures of the months", "/admin/billing/payment/figures/"),
    ("people", "/admin/accounts/user/"),
    ("  staff", "/admin/accounts/user/?is_staff__exact=1"),
    ("  search: name", "/admin/accounts/user/?q=Person"),
]  # fmt: skip


@dataclass
class Visits:
    """The visits of one page at one size: milliseconds of each whole answer, and of the database in it."""

    whole: list[float] = field(default_factory=list)
    database: list[float] = field(default_factory=list)
    queries: int = 0


@dataclass
class Timed:
    """A wrapper of queries that counts them and their seconds."""

    queries: int = 0
    seconds: float = 0.0

    def __call__(self, execute: Callable[..., Any], *query: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(*query)
        finally:
            self.queries += 1
            self.seconds += time.perf_counter() - began


def measure(options: Options) -> Iterator[Figure]:
    """Measure every page at every size in turns, so that other load on the machine affects all sizes alike."""
    setup_test_environment()
    staffed = [(_filled, _staff(_filled)) for _filled in map(filled, options.sizes)]
    for page, url in PAGES:
        yield _figure(page, options.sizes, _visit(staffed, url, options.repeats))


def _staff(of: Filled) -> Client:
    staff = Client()
    with of.used():
        known = {"is_staff": True, "is_superuser": True}
        staff.force_login(User.objects.get_or_create(email="staff@partner.example", defaults=known)[0])
    return staff


def _visit(staffed: list[tuple[Filled, Client]], url: str, repeats: int) -> list[Visits]:
    visits = [Visits() for _ in staffed]
    for number in range(WARMING + repeats):
        for (of, staff), made in zip(staffed, visits, strict=True):
            with of.used(), connection.execute_wrapper(timed := Timed()):
                began = time.perf_counter()
                answer = staff.get(url)
                passed = time.perf_counter() - began
            # A search with one hit redirects to its object.
            assert answer.status_code in (200, 302), url
            if number >= WARMING:
                made.whole.append(passed * 1000)
                made.database.append(timed.seconds * 1000)
                made.queries = timed.queries
    return visits


def _figure(page: str, sizes: tuple[int, ...], visits: list[Visits]) -> Figure:
    few, many = visits[0], visits[-1]
    counts = {made.queries for made in visits}
    return Figure(
        *("lists", f"{page} at {sizes[-1]:,}", median(many.whole), median(few.whole), "ms", f"at {sizes[0]:,}"),
        most=WANTED,
        broken="" if len(counts) == 1 else f"{few.queries} queries become {many.queries}",
        details={
            "queries": many.queries,
            **{f"{size:,}": _shown(made) for size, made in zip(sizes, visits, strict=True)},
        },
    )


def _shown(made: Visits) -> str:
    """Return the median and p95 of the whole answer, and the median of the database, as text."""
    return f"{median(made.whole):.1f}/{quantiles(made.whole, n=20)[-1]:.1f} ({median(made.database):.1f})"
