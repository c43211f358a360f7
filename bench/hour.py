"""Simulated hours at Altegio's limit, which show the calls that are met, that wait and that are dropped.

DATABASE_URL=postgres://…/bench python -m bench.hour [--arrivals 12000] [--everyday 40] [--hours 1]
"""

import argparse
import base64
import os
import statistics
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.simulated import Report

SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "partner_portal.settings",
    "LOG_LEVEL": "ERROR",
    "SECRET_KEY": "of the bench alone",
    "FIELD_ENCRYPTION_KEYS": base64.urlsafe_b64encode(bytes(32)).decode(),
    "PORTAL_URL": "https://portal.example",
    "ALTEGIO_APPLICATION_ID": "1",
    "ALTEGIO_PARTNER_TOKEN": "bench",
    "EMAIL_URL": "memorymail://",
}


def main() -> int:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--arrivals", type=int, default=12_000)
    arguments.add_argument("--chain", type=int, default=1000)
    arguments.add_argument("--hours", type=int, default=1, help="single owners come through all of them")
    arguments.add_argument("--everyday", type=float, default=40, help="calls a minute of other business")
    arguments.add_argument("--per-minute", type=int, default=200)
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    _prepare()
    from bench.simulated import HOUR, Scenario, bursts, simulate

    arrivals = bursts(given.arrivals, given.chain, window=HOUR * given.hours, seed=given.seed)
    limits = {"windows": given.hours, "per_minute": given.per_minute}
    report = simulate(Scenario(arrivals, given.everyday, **limits, seed=given.seed))
    tell(report)
    return 0 if report.given_away <= given.per_minute // 5 else 1


def _prepare() -> None:
    """Set up Django in this process, migrate, and empty the database."""
    os.environ.update(SETTINGS)
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        sys.exit("Set DATABASE_URL to a PostgreSQL database made for this measurement: it is emptied.")
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    call_command("flush", verbosity=0, interactive=False)


def tell(report: "Report") -> None:
    print(
        f"{report.locations} activations in bursts: {len(report.missed)} missed, {report.least_missed} at best; "
        f"the last one sent after {report.last_activation:.0f} s, {report.least_last_activation:.0f} s "
        f"at best; {report.calls} calls, at most {report.busiest_second} in a second and {report.busiest_minute} "
        f"in a minute; simulated in {report.seconds_taken:.0f} s"
    )
    print(f"went before an activation that could still be sent: {report.overtaken or 'nothing'}")
    print(f"{'kind of call':<20}{'done':>8}{'expired':>9}{'other':>7}{'median wait':>13}{'longest':>9}")
    for kind, figures in report.by_kind.items():
        median, longest = statistics.median(figures.waits), figures.longest_wait
        ends = f"{figures.done:>8}{figures.expired:>9}{figures.other:>7}"
        print(f"{kind:<20}{ends}{median:>11.0f} s{longest:>7.0f} s")
    print(f"beat: {', '.join(f'{name} {times}' for name, times in report.beat.items())}")
    print(f"alerts: {report.alerts}; e-mails to a member of staff: {report.emails_to_staff}")
    if report.missed:
        print(f"missed are the last that came: {report.missed_that_came_before_met} have not been")


if __name__ == "__main__":
    sys.exit(main())
