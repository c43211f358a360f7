"""Queries and p95 of the control room's first page and lists, at a thousand and at a million connections.

    DATABASE_URL=postgres://… python -m bench.admin_lists [connections]

Makes a scratch database beside the one named (as the tests do), fills it with connections spread evenly
over a year, each with its location, arrival, state changes and call, and drops it again. PostgreSQL only;
takes about three minutes.
"""

import os
import re
import sys
import time
from dataclasses import dataclass
from statistics import median, quantiles

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext, setup_test_environment  # noqa: E402

from accounts.models import User  # noqa: E402
from integrations.dashboard.days import sum_ended_days  # noqa: E402
from integrations.models import Application  # noqa: E402

SMALL = 1_000
ROUNDS = 10
LARGE = "accounts_user|integrations_(?:location|connection|connectionchange|outgoingcall|arrival|alarm)"
LISTS = "/admin/integrations"
PAGES = [
    ("first page", "/admin/"),
    ("connections", f"{LISTS}/connection/"),
    ("  page 10", f"{LISTS}/connection/?p=10"),
    ("  waiting now", f"{LISTS}/connection/?state__exact=granted"),
    ("  running out of time", f"{LISTS}/connection/?state__exact=granted&deadline=30"),
    ("  conflicts", f"{LISTS}/connection/?state__exact=conflict"),
    ("  frozen", f"{LISTS}/connection/?state__exact=frozen"),
    ("  to be reviewed", f"{LISTS}/connection/?review=yes"),
    ("  of an application", f"{LISTS}/connection/?application__id__exact={{telephony}}"),
    ("  search: number", f"{LISTS}/connection/?q=777"),
    ("  search: title", f"{LISTS}/connection/?q=Salon+77"),
    ("  search: address", f"{LISTS}/connection/?q=person77@"),
    ("state changes", f"{LISTS}/connectionchange/"),
    ("  failed today", f"{LISTS}/connectionchange/?event=failed&when=today"),
    ("  activated, 14 days", f"{LISTS}/connectionchange/?event=activated&when=14d"),
    ("outgoing calls", f"{LISTS}/outgoingcall/"),
    ("  waiting now", f"{LISTS}/outgoingcall/?waiting=yes"),
    ("  calls that fail", f"{LISTS}/outgoingcall/?waiting=failing"),
    ("  of a rare kind", f"{LISTS}/outgoingcall/?kind=telephony"),
    ("  search: number", f"{LISTS}/outgoingcall/?q=777"),
    ("arrivals", f"{LISTS}/arrival/"),
    ("  not registered, today", f"{LISTS}/arrival/?registered=no&when=today"),
    ("  must sign in once", f"{LISTS}/arrival/?registered=waits"),
    ("  search: number", f"{LISTS}/arrival/?q=777"),
    ("locations, search: title", f"{LISTS}/location/?q=Salon+77"),
    ("alarms, open", f"{LISTS}/alarm/?open=yes"),
    ("subscriptions", "/admin/billing/subscription/"),
    ("  overdue", "/admin/billing/subscription/?due=overdue"),
    ("people", "/admin/accounts/user/"),
    ("  staff", "/admin/accounts/user/?is_staff__exact=1"),
    ("  search: name", "/admin/accounts/user/?q=Person+77"),
]  # fmt: skip

# Rows n0 < n <= n1. Each happened some time in the last year; of the newest some are still undecided.
FILL = """
INSERT INTO accounts_user (id, password, is_superuser, email, name, phone, language, is_staff, is_active, joined_at)
SELECT 1000 + n, '', false, 'person' || n || '@salon.example', 'Person ' || n, '+380' || n, '', false, true, now()
FROM generate_series(%(n0)s + 1, %(n1)s) n WHERE n %% 4 = 0;

INSERT INTO integrations_location (id, altegio_id, title, public_title, phone, email, country, city, address,
    timezone_name, first_seen_at)
SELECT n, n, 'Salon ' || n, '', '+7' || n, '', 'UA', 'Kyiv', '', '', now() FROM generate_series(%(n0)s + 1, %(n1)s) n;

INSERT INTO integrations_connection (id, application_id, location_id, state, reason, altegio_words, claim, owner_id,
    arrived_at, last_arrived_at, deadline_at, activated_at, next_payment_at, warned, review)
SELECT n, CASE n %% 20 WHEN 0 THEN %(telephony)s ELSE %(sms)s END, n, s.state, '', '', 'u:' || n,
    CASE WHEN s.state IN ('active', 'frozen') THEN 1000 + n - n %% 4 END, t.at, t.at, t.at + interval '1 hour',
    CASE WHEN s.state IN ('active', 'frozen') THEN t.at END,
    t.at + interval '366 days', 0, CASE WHEN n %% 5000 = 1 THEN 'Look' ELSE '' END
FROM generate_series(%(n0)s + 1, %(n1)s) n
CROSS JOIN LATERAL (SELECT now() - ((%(n1)s - n) * interval '365 days' / %(n1)s) AS at) t
CROSS JOIN LATERAL (SELECT CASE WHEN t.at > now() - interval '50 minutes' THEN 'granted'
    WHEN n %% 3000 = 2 THEN 'conflict'
    WHEN n %% 100 < 6 THEN 'failed' WHEN n %% 100 < 12 THEN 'expired' WHEN n %% 100 < 15 THEN 'frozen'
    WHEN n %% 100 < 25 THEN 'uninstalled' ELSE 'active' END AS state) s
WHERE n >= 4;

INSERT INTO integrations_connectionchange (connection_id, at, from_state, to_state, why)
SELECT id, arrived_at, '', 'granted', '' FROM integrations_connection WHERE id > %(n0)s AND id <= %(n1)s
UNION ALL
SELECT id, arrived_at + interval '10 seconds', 'granted', state, '' FROM integrations_connection
WHERE id > %(n0)s AND id <= %(n1)s AND state <> 'granted';

INSERT INTO integrations_outgoingcall (kind, key, lane, subject, connection_id, params, priority, state, deadline_at,
    due_at, tries, setbacks, reason, request_id, created_at, finished_at)
SELECT 'activate', 'activate:' || id, 'connection:' || id, '', id, '{}', 0,
    CASE state WHEN 'granted' THEN 'queued' WHEN 'failed' THEN 'refused' WHEN 'expired' THEN 'expired'
        ELSE 'done' END, deadline_at, arrived_at, 1, id %% 3, '', '', arrived_at,
    CASE WHEN state <> 'granted' THEN arrived_at END
FROM integrations_connection WHERE id > %(n0)s AND id <= %(n1)s;

INSERT INTO integrations_arrival (id, application_id, arrived_at, deadline_at, last_seen_at, visits, salon_ids,
    crm_token, salon_name, claim, digest, user_id, signed_up, request_id)
SELECT id, application_id, arrived_at, deadline_at, arrived_at, 1, jsonb_build_array(id), '', '', '', '', owner_id,
    false, '' FROM integrations_connection WHERE id > %(n0)s AND id <= %(n1)s;
INSERT INTO integrations_arrivallocation (arrival_id, connection_id)
SELECT id, id FROM integrations_connection WHERE id > %(n0)s AND id <= %(n1)s;

INSERT INTO integrations_alarm (key, kind, text, connection_id, raised_at, cleared_at)
SELECT 'a:' || id, 'call', 'refused', id, arrived_at, CASE WHEN id %% 50 > 0 THEN arrived_at END
FROM integrations_connection WHERE id > %(n0)s AND id <= %(n1)s AND state = 'failed';
"""


@dataclass(frozen=True)
class Measured:
    """One page: its queries, the p95 of the whole answer, and the median time in the database; seconds."""

    page: str
    queries: int
    unindexed: str
    p95: float
    database: float


def main(large: int) -> None:
    """Fill, measure, fill further, measure, print."""
    setup_test_environment()
    name = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        print(_line("", "queries", f"p95 (database) at {SMALL:,}", f"at {large:,}", "ratio", "read without an index"))
        for few, many in zip(measured(0, SMALL), measured(SMALL, large), strict=True):
            queries = str(few.queries) if few.queries == many.queries else f"{few.queries}→{many.queries}"
            ratio = f"{many.p95 / few.p95:.2f}"
            print(_line(few.page, queries, _shown(few), _shown(many), ratio, many.unindexed))
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


def _line(page: str, queries: str, small: str, large: str, ratio: str, whole: str) -> str:
    return f"{page:26}{queries:>8}{small:>28}{large:>22}{ratio:>8}  {whole}"


def _shown(result: Measured) -> str:
    return f"{result.p95 * 1000:.1f} ms ({result.database * 1000:.0f})"


def measured(have: int, want: int) -> list[Measured]:
    """Fill up to `want` connections, and measure every page."""
    began = time.monotonic()
    sms, telephony = (Application.objects.get_or_create(altegio_id=number)[0].pk for number in (1, 2))
    with connection.cursor() as cursor:
        # The rows are right by their making: neither their keys are checked, nor is the disk waited for.
        cursor.execute("SET session_replication_role = replica; SET synchronous_commit = off")
        cursor.execute(FILL, {"n0": have, "n1": want, "sms": sms, "telephony": telephony})
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    sum_ended_days()
    print(f"filled up to {want:,} in {time.monotonic() - began:.0f} s", file=sys.stderr)
    staff = Client()
    staff.force_login(User.objects.get_or_create(email="staff@partner.example", is_staff=True, is_superuser=True)[0])
    return [_measure(staff, page, url.format(telephony=telephony)) for page, url in PAGES]


def _unindexed(made: CaptureQueriesContext) -> str:
    """The large tables that PostgreSQL reads in their own order; as each query ends at a limit, seldom far."""
    found = set()
    with connection.cursor() as cursor:
        for query in made.captured_queries:
            if query["sql"].startswith("SELECT"):
                cursor.execute("EXPLAIN " + query["sql"].replace("%", "%%"), [])
                plan = "\n".join(row[0] for row in cursor.fetchall())
                found.update(re.findall(rf"Seq Scan on ({LARGE})\b", plan))
    return ", ".join(sorted(found))


def _measure(staff: Client, page: str, url: str) -> Measured:
    assert staff.get(url).status_code == 200, url
    whole, database, queries = [], [], 0
    for _ in range(ROUNDS):
        with CaptureQueriesContext(connection) as made:
            began = time.perf_counter()
            staff.get(url)
            whole.append(time.perf_counter() - began)
        queries = len(made)
        database.append(sum(float(query["time"]) for query in made))
    return Measured(page, queries, _unindexed(made), quantiles(whole, n=20)[-1], median(database))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
