"""The figures as staff read them: each with a sentence that defines it, its charts and its table."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils import formats

from billing.figures.charts import ColumnChart, Point, column_chart
from billing.figures.counting import PlaceFigures
from billing.figures.report import MonthFigures, Report, percentile, share
from billing.money import exact
from partner_portal.core.english import english as _

MAX_PLACES = 50
NONE, NO_BREAK = "–", "\u00a0"
MRR = _(
    "Monthly recurring revenue is what the running paid periods come to in a month: each payment that Altegio holds "
    "and that was not refunded by then, spread over the days of its period and taken for 30.44 days, as of the last "
    "day of the month (the present month: of now)."
)
TRIAL_TO_PAID = _(
    "Of the connections activated in a month in their free trial, the share whose location had a payment, held by "
    "Altegio and not refunded, by 30 days after the end of the trial; a month marked * (paler) may still grow."
)
CHURN = _(
    "Of the connections that were live (active or frozen) when the month began, the share that was uninstalled in "
    "it; who connects again counts as a new connection."
)
ACTIVATION_TIME = _(
    "From the owner's arrival to Altegio's acceptance, of the connections activated in the month: half of them took "
    "no longer than the median, 95 of 100 no longer than the 95th percentile (above 99 seconds to two digits)."
)


@dataclass(frozen=True)
class FigurePanel:
    """One figure with its title, its definition, its charts, and a table with a row for each month."""

    title: str
    definition: str
    charts: list[ColumnChart]
    head: list[str]
    rows: list[list[str]]


def panels(report: Report) -> list[FigurePanel]:
    """Return the four figures, from the totals of the months."""
    return [_revenue(report), _trials(report), _churn(report), _activation(report)]


def places_table(report: Report) -> tuple[list[str], list[list[str]]]:
    """Return the head and rows of the present month by application and country, most connections first."""
    found = sorted(report.months[0].places.items(), key=lambda item: (-item[1].live - item[1].activated, item[0]))
    head = [
        _("Application"),
        _("Country"),
        _("MRR"),
        _("Activated"),
        _("Trials paid"),
        _("Live at its start"),
        _("Churn"),
    ]
    rows = [
        [
            str(report.applications.get(application, NONE)),
            country or _("not known"),
            ", ".join(_in_currencies(figures)) or NONE,
            count(figures.activated),
            f"{count(figures.paid)} / {count(figures.trials)}",
            count(figures.live),
            per_cent(share(figures.uninstalled, figures.live)),
        ]
        for (application, country), figures in found[:MAX_PLACES]
    ]
    return head, rows


def _in_currencies(figures: PlaceFigures) -> list[str]:
    return [f"{_money(amount, name)}{NO_BREAK}{name}" for name, amount in sorted(figures.revenue.items())]


def count(number: int) -> str:
    """Format a whole number with separators."""
    return str(formats.number_format(number, use_l10n=True, force_grouping=True))


def per_cent(value: Decimal | None) -> str:
    """Format a share in percent; a dash stands for none."""
    return NONE if value is None else f"{value}{NO_BREAK}%"


def duration(seconds: int | None) -> str:
    """Format a time in its two largest units: "37 s", "12 min 30 s", "3 h 20 min"."""
    if seconds is None:
        return NONE
    for size, unit, rest_size, rest_unit in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= size:
            rest = seconds % size // rest_size
            return f"{seconds // size}{NO_BREAK}{unit}" + (f" {rest}{NO_BREAK}{rest_unit}" if rest else "")
    return f"{seconds}{NO_BREAK}s"


def _money(amount: Decimal, currency: str) -> str:
    return str(formats.number_format(exact(amount, currency), use_l10n=True, force_grouping=True))


def _name(month: MonthFigures) -> str:
    return str(formats.date_format(month.month, "M Y"))


def _chart(
    months: Sequence[MonthFigures],
    kind: str,
    title: str,
    values: Sequence[Decimal | int | None],
    words: Sequence[str],
    *,
    unsettled: bool = False,
) -> ColumnChart:
    """Chart values that are newest first, drawn oldest first; `unsettled` marks months that may still change."""
    points = [
        Point(str(formats.date_format(month.month, "M")), value, said, month.is_settled or not unsettled)
        for month, value, said in zip(months, values, words, strict=True)
    ]
    return column_chart(kind, title, points[::-1])


def _revenue(report: Report) -> FigurePanel:
    totals = [month.total.revenue for month in report.months]
    nothing = Decimal(0)
    charts = []
    for currency in report.currencies:
        amounts = [total.get(currency, nothing) for total in totals]
        charts.append(
            _chart(report.months, "revenue", currency, amounts, [_money(amount, currency) for amount in amounts])
        )
    rows = [
        [
            _name(month),
            *(_money(month.total.revenue.get(currency, nothing), currency) for currency in report.currencies),
        ]
        for month in report.months
    ]
    return FigurePanel(_("Monthly recurring revenue"), MRR, charts, [_("Month"), *report.currencies], rows)


def _trials(report: Report) -> FigurePanel:
    shares = [share(month.total.paid, month.total.trials) for month in report.months]
    rows = [
        [
            _name(month) if month.is_settled else f"{_name(month)} *",
            count(month.total.trials),
            count(month.total.paid),
            per_cent(value),
        ]
        for month, value in zip(report.months, shares, strict=True)
    ]
    head = [_("Month"), _("Trials begun"), _("Paid"), _("Share")]
    chart = _chart(
        report.months, "paid", _("Trial to paid"), shares, [per_cent(value) for value in shares], unsettled=True
    )
    return FigurePanel(_("Trial to paid"), TRIAL_TO_PAID, [chart], head, rows)


def _churn(report: Report) -> FigurePanel:
    shares = [share(month.total.uninstalled, month.total.live) for month in report.months]
    rows = [
        [_name(month), count(month.total.live), count(month.total.uninstalled), per_cent(value)]
        for month, value in zip(report.months, shares, strict=True)
    ]
    head = [_("Month"), _("Live at its start"), _("Uninstalled"), _("Share")]
    chart = _chart(report.months, "churn", _("Churn"), shares, [per_cent(value) for value in shares])
    return FigurePanel(_("Churn"), CHURN, [chart], head, rows)


def _activation(report: Report) -> FigurePanel:
    totals: list[PlaceFigures] = [month.total for month in report.months]
    charts, columns = [], []
    for kind, title, rank in (("median", _("Median"), 50), ("slowest", _("95th percentile"), 95)):
        values = [percentile(total.seconds, rank) for total in totals]
        columns.append([duration(value) for value in values])
        charts.append(_chart(report.months, kind, title, values, columns[-1]))
    rows = [
        [_name(month), count(month.total.activated), median, slowest]
        for month, median, slowest in zip(report.months, *columns, strict=True)
    ]
    head = [_("Month"), _("Activated"), _("Median"), _("95th percentile")]
    return FigurePanel(_("Time to activation"), ACTIVATION_TIME, charts, head, rows)
