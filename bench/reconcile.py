"""The comparison of many connections with Altegio's list, within the default limits and without single statuses."""

import time
from collections.abc import Iterator

from bench.figures import Figure
from bench.options import Options
from bench.stage import DEFAULTS, PER_MINUTE, PER_SECOND, Stage, stage

LOCATIONS, DIFFERING = 10_000, 20
WANTED = 2.0
# Nobody waits for these calls, so they leave a part of each minute to others, and are spread over it.
PATIENT_PER_SECOND = PER_MINUTE * 0.9 / 60
CONNECT = """
INSERT INTO connections_location (altegio_id, title, public_title, phone, email, country, city, address,
    timezone_name, first_seen_at)
SELECT id, '', '', '', '', '', '', '', '', now() FROM generate_series({first}, {last}) id;
INSERT INTO connections_connection (application_id, location_id, state, reason, altegio_words, claim, arrived_at,
    last_arrived_at, deadline_at, activated_at, warned, review)
SELECT (SELECT id FROM connections_application WHERE altegio_id = 1), id, 'active', '', '', 'bench', at, at, at, at,
    0, ''
FROM connections_location, (SELECT now() - interval '1 day' AS at) AS yesterday
WHERE altegio_id BETWEEN {first} AND {last};
ANALYZE;
"""


def measure(_options: Options) -> Iterator[Figure]:
    """Measure twice: the first run takes over every title and finds the differences, the second finds agreement."""
    with stage() as on:
        on.altegio.configure(callbacks_enabled=False)
        on.altegio.set_application(1, private=True)
        _chain, places = on.altegio.add_chain(LOCATIONS)
        on.altegio.grant(places)
        for place in places[:DIFFERING]:
            on.altegio.uninstall(place)
        on.portal.database.query(CONNECT.format(first=min(places), last=max(places)))
        for what in ("first run", "second run"):
            yield _run(on, f"{LOCATIONS:,} connections, {what}")


def _run(on: Stage, what: str) -> Figure:
    on.portal.forget_rate()
    on.altegio.clear_requests()
    started = time.monotonic()
    on.portal.command("reconcile", LOG_LEVEL="WARNING", RECHECK_SHARE="0", **DEFAULTS)
    seconds = time.monotonic() - started
    calls = len(on.altegio.requests())
    second, minute = on.altegio.busiest_second(), on.altegio.busiest_minute()
    return Figure(
        *("reconcile", what, seconds, calls / PATIENT_PER_SECOND, "s", "the pace of calls that can wait"),
        most=WANTED,
        broken="more than allowed" if second > PER_SECOND or minute > PER_MINUTE else "",
        details={"calls": calls, "busiest second": second},
    )
