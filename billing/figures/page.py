"""The "Figures" page of the control room, and its CSV file."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from billing.figures.report import Filters, Report, percentile, read_report, share
from billing.figures.shown import panels, places_table
from billing.money import exact
from partner_portal.core.csv_writing import write_lines
from partner_portal.core.english import english as _

HEAD = (
    *("month", "application_id", "country", "is_settled", "activated", "trials", "trials_paid"),
    *("trial_to_paid_percent", "live_at_start", "uninstalled", "churn_percent"),
    *("activation_median_seconds", "activation_p95_seconds"),
)


def figures_page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Show the figures for `?application=` (its pk) and `?country=`; with `?format=csv`, return them as a file.

    `context` is what every page of the control room has. A filter that cannot be read is ignored.
    """
    filters = read_filters(request)
    report = read_report(filters)
    if request.GET.get("format") == "csv":
        response = HttpResponse(csv_text(report), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="figures.csv"'
        return response
    query = request.GET.copy()
    query["format"] = "csv"
    head, rows = places_table(report)
    shown = {
        "title": _("Figures"),
        "panels": panels(report),
        "places_head": head,
        "places": rows,
        "present": report.months[0].month,
        "counted_at": report.counted_at,
        "applications": [(pk, row, pk == filters.application) for pk, row in report.applications.items()],
        "countries": [(f"={name}", name, name == filters.country) for name in report.countries],
        "csv_query": query.urlencode(),
    }
    return TemplateResponse(request, "admin/billing/figures.html", {**context, **shown})


def read_filters(request: HttpRequest) -> Filters:
    """Read the filters from the address. A country is given as `=name`, because an unknown one has an empty name."""
    application, country = request.GET.get("application", ""), request.GET.get("country", "")
    return Filters(
        application=int(application) if re.fullmatch(r"[0-9]{1,18}", application) else None,
        country=country[1:] if country.startswith("=") else None,
    )


def csv_text(report: Report) -> str:
    """Return a line for each month, application and country, oldest first, with an amount for each currency."""
    return "".join(write_lines(_csv_rows(report)))


def _csv_rows(report: Report) -> Iterator[list[Any]]:
    yield [*HEAD, *(f"mrr_{currency}" for currency in report.currencies)]
    for month in reversed(report.months):
        for (application, country), figures in sorted(month.places.items()):
            yield [
                f"{month.month:%Y-%m}",
                report.applications[application].altegio_id,
                country,
                "yes" if month.is_settled else "no",
                *(figures.activated, figures.trials, figures.paid, share(figures.paid, figures.trials)),
                *(figures.live, figures.uninstalled, share(figures.uninstalled, figures.live)),
                *(percentile(figures.seconds, 50), percentile(figures.seconds, 95)),
                *(exact(figures.revenue.get(name, Decimal(0)), name) for name in report.currencies),
            ]
