"""Compare every connection with Altegio, and wait for the report."""

import sys
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from integrations.outbox.dispatcher import dispatch_due
from integrations.outbox.token_stop import token_is_stopped
from integrations.reconciliation.models import Finding, Reconciliation
from integrations.reconciliation.rechecks import continue_run
from integrations.reconciliation.start import start_run

PAUSE = 0.2


class Command(BaseCommand):
    help = "Compare every connection with Altegio: apply what is safe, list what needs a person."

    def handle(self, *_args: Any, **_options: Any) -> None:
        run = start_run(Reconciliation.Trigger.COMMAND)
        try:
            with tqdm(file=sys.stderr, disable=None, leave=False) as bar:
                self._wait(run, bar)
        except KeyboardInterrupt:
            raise CommandError(
                "Not waiting any more: the workers go on, and the report will be in the admin."
            ) from None
        self._report(run)

    @staticmethod
    def _wait(run: Reconciliation, bar: "tqdm[Any]") -> None:
        while run.state == Reconciliation.State.RUNNING:
            if token_is_stopped():
                raise CommandError("Altegio refuses the partner token: replace it, then run this again.")
            dispatch_due()
            run.refresh_from_db()
            if run.state == Reconciliation.State.RUNNING and not run.lists_left:
                continue_run(run)
            if not bar.disable:
                _show(bar, run)
            if run.state == Reconciliation.State.RUNNING:
                time.sleep(PAUSE)

    def _report(self, run: Reconciliation) -> None:
        ended = run.finished_at or run.started_at
        seconds = (ended - run.started_at).total_seconds()
        self.stdout.write("")
        self.stdout.write(
            f"Compared {run.expected} connections here with {run.listed} listed by Altegio: "
            f"{run.calls} calls, {seconds:.1f} s."
        )
        for finding in run.findings.select_related("application").order_by("-needs_person", "pk"):
            self.stdout.write(_line(finding))
        people = run.findings.filter(needs_person=True).count()
        self.stdout.write(
            f"{run.findings.count()} differences, {people} need a person."
            if run.findings.exists()
            else "No difference."
        )


def _show(bar: "tqdm[Any]", run: Reconciliation) -> None:
    findings = run.findings.count()
    answered = run.findings.exclude(settled_at=None).count()
    bar.n, bar.total = run.listed + answered, max(run.expected, run.listed) + findings
    bar.set_description(f"listed {run.listed}, differences answered {answered} of {findings}")


def _line(finding: Finding) -> str:
    mark = "!" if finding.needs_person else "·"
    change = " → ".join(text for text in (finding.before, finding.after) if text)
    return f"  {mark} {finding.application} #{finding.salon_id or '–'}: {finding.get_kind_display()} ({change})"
