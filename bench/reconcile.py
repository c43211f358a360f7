"""What comparing many connections with Altegio costs, beside the sandbox and within the default call limits.

    DATABASE_URL=postgres://… python -m bench.reconcile [--locations 10000] [--differing 20]

Uses the database it is given, and leaves its rows there: take one of its own. Prints JSON.
"""

import argparse
import json
import os
import time
from datetime import timedelta
from io import StringIO

from sandbox import Sandbox

TOKEN = "bench-token"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--locations", type=int, default=10_000)
    parser.add_argument("--differing", type=int, default=20)
    given = parser.parse_args()
    with Sandbox(partner_token=TOKEN) as altegio:
        prepare(altegio)
        connect(altegio, given.locations, given.differing)
        print(json.dumps(reconcile(altegio), indent=2))


def prepare(altegio: Sandbox) -> None:
    """Settings and tables."""
    os.environ.update(
        ALTEGIO_PARTNER_TOKEN=TOKEN,
        ALTEGIO_APPLICATION_ID="1",
        ALTEGIO_APP_URL=altegio.app_url,
        ALTEGIO_API_URL=altegio.api_url,
        LOG_LEVEL="WARNING",
    )
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "partner_portal.settings")
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def connect(altegio: Sandbox, count: int, differing: int) -> None:
    """As many active connections on both sides, less those that ended at Altegio without a word."""
    from django.utils import timezone

    from integrations.models import Application, Connection, Location, OutgoingCall

    altegio.configure(callbacks_enabled=False)
    altegio.set_application(1, private=True)
    _chain, places = altegio.add_chain(count)
    altegio.grant(places)
    for place in places[:differing]:
        altegio.uninstall(place)
    application, _made = Application.objects.get_or_create(altegio_id=1)
    Application.objects.exclude(pk=application.pk).delete()
    OutgoingCall.objects.all().delete()
    Connection.objects.all().delete()
    Location.objects.bulk_create(
        [Location(altegio_id=place) for place in places], ignore_conflicts=True, batch_size=1000
    )
    now = timezone.now() - timedelta(days=1)
    moments = dict.fromkeys(("arrived_at", "last_arrived_at", "deadline_at", "activated_at"), now)
    Connection.objects.bulk_create(
        [
            Connection(application=application, location=place, state="active", claim="bench", **moments)
            for place in Location.objects.filter(altegio_id__in=places)
        ],
        batch_size=1000,
    )


def reconcile(altegio: Sandbox) -> dict[str, object]:
    """Two runs: the first takes over all titles and finds the differences, the second finds agreement."""
    from django.core.management import call_command

    from integrations.models import Reconciliation

    runs = []
    for _ in range(2):
        altegio.clear_requests()
        started = time.monotonic()
        call_command("reconcile", stdout=StringIO())
        run = Reconciliation.objects.latest("pk")
        runs.append(
            {
                "connections": run.expected,
                "differences": run.findings.exclude(kind="title").count(),
                "calls": len(altegio.requests()),
                "seconds": round(time.monotonic() - started, 1),
            }
        )
    return {"runs": runs, "busiest_second": altegio.busiest_second()}


if __name__ == "__main__":
    main()
