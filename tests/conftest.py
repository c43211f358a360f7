"""What every test may use: the sandbox Altegio over HTTP, and a worker that works when it is told to."""

import itertools
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import compress
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone, translation
from django.utils.dateparse import parse_datetime
from pytest_django.fixtures import Settings

from accounts.models import User
from integrations.connections.models import Application, Installation, Location
from integrations.lifecycle.processing import process_waiting
from integrations.outbox.dispatcher import dispatch_due
from integrations.outbox.models import UNFINISHED, OutgoingCall
from integrations.outbox.sweep import expire_late_calls, recover_lost_calls
from integrations.partner_events.fan_out import fan_out
from integrations.reconciliation.models import Reconciliation
from integrations.reconciliation.rechecks import continue_run
from partner_portal.core.remembered import Remembered
from partner_portal.core.watch import CHECKS
from sandbox import Sandbox
from tests.once import once  # noqa: F401 - a fixture
from tests.working import Work
from tests.wsgi_calls import short_path  # noqa: F401 - a fixture

DATABASE_FIXTURES = {"db", "transactional_db"}


def _after(moment: datetime, value: object) -> timedelta | None:
    """How long after `moment` a parameter of a query is, where it is a moment at all."""
    if isinstance(value, str) and connection.vendor == "sqlite":
        value = parse_datetime(value)
    if not isinstance(value, datetime):
        return None
    return (value if value.tzinfo else value.replace(tzinfo=UTC)) - moment


@cache
def _all_checks() -> tuple[list[str], str, list[tuple[Any, timedelta | None]]]:
    """All checks as one query, compiled once: each parameter that is a moment stands by its distance from now."""
    now, names, parts, parameters = timezone.now(), [], [], []
    for check in CHECKS:
        sql, values = check.find(now).order_by().query.exists().sql_with_params()
        names.append(check.name)
        parts.append(f"EXISTS({sql})")
        parameters += [(value, _after(now, value)) for value in values]
    return names, f"SELECT {', '.join(parts)}", parameters


def _stranded() -> list[str]:
    names, query, parameters = _all_checks()
    now, adapt = timezone.now(), connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        cursor.execute(query, [value if after is None else adapt(now + after) for value, after in parameters])
        return list(compress(names, cursor.fetchone()))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Nothing rests unseen: what a test leaves is asked for at its own end, in its own time, before anything of it
    is taken down. `leaves_stranded` is for tests that plant what nothing waits for, or stop on purpose in between.
    """
    yield
    if item.get_closest_marker("leaves_stranded"):
        return
    uses_the_database = item.get_closest_marker("django_db") or DATABASE_FIXTURES & set(
        getattr(item, "fixturenames", ())
    )
    if uses_the_database:
        stranded = _stranded()
        assert not stranded, f"The test leaves rows that nothing waits for: {', '.join(stranded)}"


@pytest.fixture(scope="session")
def _sandbox() -> Iterator[Sandbox]:
    with Sandbox(partner_token="partner-token-of-the-tests") as sandbox:
        yield sandbox


@pytest.fixture
def altegio(_sandbox: Sandbox, settings: Settings) -> Iterator[Sandbox]:
    """Altegio, as it is on its first day; the portal is configured for it, without a call limit."""
    _sandbox.reset()
    _sandbox.configure(callbacks_enabled=False)
    settings.ALTEGIO_APP_URL = _sandbox.app_url
    settings.ALTEGIO_API_URL = _sandbox.api_url
    settings.ALTEGIO_REQUESTS_PER_SECOND = settings.ALTEGIO_REQUESTS_PER_MINUTE = 100_000
    settings.ALTEGIO_TIMEOUT_SECONDS = 2
    settings.ALTEGIO_SETTLING_SECONDS = 0
    yield _sandbox
    _sandbox.clear_faults()


@pytest.fixture(autouse=True)
def _fresh_cache(settings: Settings) -> None:
    """Every test has keys of its own: Redis is shared with other workers, and perhaps with a portal.

    Of files it has a folder of its own too: a full one forgets some keys, whosever they are.
    """
    own, cache = uuid.uuid4().hex, settings.CACHES["default"]
    if "filebased" in cache["BACKEND"]:
        cache = cache | {"LOCATION": f"{cache['LOCATION']}/{own}"}
    settings.CACHES = {"default": cache | {"KEY_PREFIX": own}}


@pytest.fixture(autouse=True)
def _one_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit's window begins with the test, which else would sometimes meet its end."""
    began = time.time()
    monkeypatch.setattr("accounts.limits.time", SimpleNamespace(time=lambda: time.time() - began))


@pytest.fixture(autouse=True)
def _nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test's changes of an application count at once, and its e-mails take turns from the first on."""
    monkeypatch.setattr("integrations.connect.arrivals.known_applications", Remembered(seconds=0))
    monkeypatch.setattr("accounts.emails._turns", itertools.count(1))


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """A page that spoke another language leaves it behind in this thread; no test begins in it."""
    with translation.override("en"):
        yield


def _continue_reconciliation() -> None:
    """One whose lists are read asks for the statuses, as beat has it every few minutes."""
    for run in Reconciliation.objects.filter(state="running", lists_left=0, statuses_left__gt=0):
        continue_run(run)


@pytest.fixture
def keys(db: None) -> Installation:
    """The keys of location 10101: among them the one in the address where its events come."""
    application = Application.objects.create(altegio_id=1)
    keys = Installation.fresh(application, Location.objects.create(altegio_id=10101))
    keys.save()
    return keys


@pytest.fixture
def staff(db: None) -> Client:
    """The browser of an administrator who has signed in to the control room."""
    browser = Client()
    browser.force_login(User.objects.create_superuser("anna@partner.example"))
    return browser


def work_until_done(rounds: int = 50) -> None:
    """What the workers would do, until nothing waits; retries come at once, time stands still."""
    for _ in range(rounds):
        recover_lost_calls()
        expire_late_calls()
        process_waiting()
        dispatch_due()
        fan_out()
        if rounds > 1:
            _continue_reconciliation()
            OutgoingCall.objects.filter(state__in=UNFINISHED).update(due_at=timezone.now())
        if not OutgoingCall.objects.filter(state__in=UNFINISHED).exclude(state="held").exists():
            return


@pytest.fixture
def work(db: None) -> Work:
    """`work()` does what the workers would; `work(rounds=1)` goes only as far as the calls that are due now."""
    return work_until_done
