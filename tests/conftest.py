"""Fixtures for every test: the sandbox Altegio over HTTP, and a worker that works on request."""

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
    """Return how long after `moment` a query's parameter is, or None if it is not a moment."""
    if isinstance(value, str) and connection.vendor == "sqlite":
        value = parse_datetime(value)
    if not isinstance(value, datetime):
        return None
    return (value if value.tzinfo else value.replace(tzinfo=UTC)) - moment


@cache
def _all_checks() -> tuple[list[str], str, list[tuple[Any, timedelta | None]]]:
    """Compile all checks into one query, once; a parameter that is a moment is kept as its distance from now."""
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
    """Fail a test that leaves rows which nothing waits for.

    The check runs at the test's end, in its own time, before its fixtures are torn down. `leaves_stranded` marks
    tests that plant such rows, or stop half-way on purpose.
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
    """Yield a fresh Altegio; the portal is configured for it, without a call limit."""
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
    """Give every test its own cache keys: Redis is shared with other workers, and perhaps with a portal.

    A cache of files gets its own folder too, because a full one forgets keys of any test.
    """
    own, cache = uuid.uuid4().hex, settings.CACHES["default"]
    if "filebased" in cache["BACKEND"]:
        cache = cache | {"LOCATION": f"{cache['LOCATION']}/{own}"}
    settings.CACHES = {"default": cache | {"KEY_PREFIX": own}}


@pytest.fixture(autouse=True)
def _one_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start each limit's window with the test, so that no test meets the end of one."""
    began = time.time()
    monkeypatch.setattr("accounts.limits.time", SimpleNamespace(time=lambda: time.time() - began))


@pytest.fixture(autouse=True)
def _nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let changes of an application count at once, and let e-mails take turns from the first on."""
    monkeypatch.setattr("integrations.connect.arrivals.known_applications", Remembered(seconds=0))
    monkeypatch.setattr("accounts.emails._turns", itertools.count(1))


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """Start every test in English: a page in another language would leave it behind in the thread."""
    with translation.override("en"):
        yield


def _continue_reconciliation() -> None:
    """Let a reconciliation whose lists are read ask for the statuses, as beat does every few minutes."""
    for run in Reconciliation.objects.filter(state="running", lists_left=0, statuses_left__gt=0):
        continue_run(run)


@pytest.fixture
def keys(db: None) -> Installation:
    """Return the keys of location 10101, among them the one in its event address."""
    application = Application.objects.create(altegio_id=1)
    keys = Installation.fresh(application, Location.objects.create(altegio_id=10101))
    keys.save()
    return keys


@pytest.fixture
def staff(db: None) -> Client:
    """Return the browser of an administrator who is signed in to the control room."""
    browser = Client()
    browser.force_login(User.objects.create_superuser("anna@partner.example"))
    return browser


def work_until_done(rounds: int = 50) -> None:
    """Do what the workers would do until nothing waits; retries come at once, and time stands still."""
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
    """Return a function that does what the workers would; with `rounds=1` it makes only the calls due now."""
    return work_until_done
