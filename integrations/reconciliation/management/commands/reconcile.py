"""Compare every connection with Altegio, and wait for the report."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from integrations.outbox.dispatcher import dispatch_due
from integrations.outbox.token_stop import token_is_stopped
from integrations.reconciliation.models import Finding, Reconciliation
from integrations.reconciliation.start import start_run

BAR = 30
PAUSE = 0.2


class Command(BaseCommand):
    help = "Compare every connection with Altegio: apply what is safe, list what needs a person."

    def handle(self, *_args: Any, **_options: Any) -> None:
        run = start_run(Reconciliation.Trigger.COMMAND)
        try:
            while run.state == Reconciliation.State.RUNNING:
                if token_is_stopped():
                    raise CommandError("Altegio refuses the partner token: replace it, then run this again.")
                dispatch_due()
                run.refresh_from_db()
                self._draw(run)
                if run.state == Reconciliation.State.RUNNING:
                    time.sleep(PAUSE)
        except KeyboardInterrupt:
            raise CommandError(
                "Not waiting any more: the workers go on, and the report will be in the admin."
            ) from None
        self._report(run)

    def _draw(self, run: Reconciliation) -> None:
        if not self.stdout.isatty():
            return
        findings = run.findings.count()
        answered = run.findings.exclude(settled_at=None).count()
        whole = max(run.expected, run.listed) + findings or 1
        done = min((run.listed + answered) / whole, 1.0) if run.state == Reconciliation.State.RUNNING else 1.0
        bar = "█" * int(BAR * done) + "░" * (BAR - int(BAR * done))
        line = f"\r{bar} {done:4.0%}  listed {run.listed}, differences answered {answered} of {findings} "
        self.stdout.write(line, ending="")
        self.stdout.flush()

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


def _line(finding: Finding) -> str:
    mark = "!" if finding.needs_person else "·"
    change = " → ".join(text for text in (finding.before, finding.after) if text)
    return f"  {mark} {finding.application} #{finding.salon_id or '–'}: {finding.get_kind_display()} ({change})"
