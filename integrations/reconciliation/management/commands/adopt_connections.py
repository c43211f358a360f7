"""Take over the locations that were connected before the portal: list them, ask Altegio, report line by line."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterator, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from integrations.activation.adoption import ask_to_adopt
from integrations.altegio import requests
from integrations.altegio.answers import Outcome
from integrations.altegio.location_list import RemoteLocation, read_locations
from integrations.connections.models import Application, Connection
from integrations.locations.call_kinds import PAGE
from integrations.outbox.direct_requests import ask_now
from integrations.outbox.models import UNFINISHED, OutgoingCall
from integrations.outbox.waiting_command import wait_until_sent
from integrations.reconciliation.call_kinds import MAX_PAGES

HELP = """Take over the locations that Altegio lists as connected and that never arrived here.

Altegio is asked about each. What is active or frozen there becomes a connection here: with its trial counted from
the moment that Altegio tells, without an owner until one comes and staff decide, and told to your systems as
connection.activated. No activation is sent. Altegio keeps the API key and the event addresses that it got first:
where they are not the portal's, an alert at the connection says so, and our event address is added where a user
token or the application token is known.

  manage.py adopt_connections --dry-run            list them, and change nothing
  manage.py adopt_connections --application 123    of this application alone, by Altegio's id

It may be run again: what is known here is left alone. The exit status is 1 when a list could not be read or a
location could not be taken over.
"""


class Command(BaseCommand):
    help = HELP

    def create_parser(self, prog_name: str, subcommand: str, **options: Any) -> Any:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **options)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--application", type=int, help="only this application, by Altegio's id")
        parser.add_argument("--dry-run", action="store_true", help="list them, and change nothing")

    def handle(self, *_args: Any, **options: Any) -> None:
        problems = 0
        for application in _applications(options["application"]):
            unknown = _unknown(application)
            self.stdout.write(f"{application}: {len(unknown)} connected at Altegio and unknown here.")
            if options["dry_run"]:
                for place in unknown:
                    self.stdout.write(f"  #{place.id} {place.title}")
            else:
                problems += self._adopt(application, unknown)
        if options["dry_run"]:
            self.stdout.write("Nothing was changed.")
        if problems:
            raise CommandError(f"{problems} were not taken over.")

    def _adopt(self, application: Application, unknown: Sequence[RemoteLocation]) -> int:
        """Ask about each location and wait for the answers. Returns how many were not taken over."""
        subjects = {place.id: ask_to_adopt(application, place.id) for place in unknown}
        _wait(list(subjects.values()))
        adopted = _live_at(application, list(subjects))
        for place in unknown:
            connection = adopted.get(place.id)
            said = f"taken over, {connection.get_state_display()}" if connection else _why_not(subjects[place.id])
            self.stdout.write(f"  #{place.id} {place.title}: {said}")
        return len(unknown) - len(adopted)


def _applications(altegio_id: int | None) -> list[Application]:
    if altegio_id is None:
        return list(Application.objects.order_by("pk"))
    found = list(Application.objects.filter(altegio_id=altegio_id))
    if not found:
        raise CommandError(f"There is no application {altegio_id} here.")
    return found


def _unknown(application: Application) -> list[RemoteLocation]:
    """Return the locations that Altegio lists, without those where a connection here is live or once was."""
    listed = {place.id: place for place in _listed(application)}
    known = Connection.objects.filter(application=application).exclude(activated_at=None)
    ours = set(known.values_list("location__altegio_id", flat=True))
    ours |= set(_live_at(application, list(listed)))
    return [place for salon_id, place in listed.items() if salon_id not in ours]


def _listed(application: Application) -> Iterator[RemoteLocation]:
    for page in range(1, MAX_PAGES + 1):
        answer = ask_now(requests.connected_locations(application.altegio_id, page=page, count=PAGE))
        if answer.outcome is not Outcome.ACCEPTED:
            raise CommandError(f"{application}: Altegio gives no list: {answer.message or answer.outcome}")
        places = read_locations(answer)
        yield from places
        if len(places) < PAGE:
            return


def _live_at(application: Application, salon_ids: list[int]) -> dict[int, Connection]:
    there = Connection.objects.live().filter(application=application, location__altegio_id__in=salon_ids)
    return {each.location.altegio_id: each for each in there.select_related("location")}


def _wait(subjects: list[str]) -> None:
    waiting = OutgoingCall.objects.filter(coalesce_key__in=subjects, state__in=UNFINISHED)
    wait_until_sent(waiting.count, len(subjects))


def _why_not(subject: str) -> str:
    call = OutgoingCall.objects.filter(coalesce_key=subject).order_by("-pk").first()
    return (call.reason if call else "") or "Altegio says that it is not connected, or its owner may arrive yet"
