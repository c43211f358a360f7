"""Every row of a CSV file of payments follows the rules of the API; refused rows are reported with their line."""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from billing.csv_import import import_payments
from billing.intake import Overlap
from billing.models import Payment
from integrations.connections.models import Connection
from integrations.outbox.models import OutgoingCall
from tests.working import Work

pytestmark = pytest.mark.django_db
HEAD = "external_id,salon_id,amount,currency,paid_at,period_from,period_to"
JANUARY = "2026-01-01T12:00:00Z,2026-01-01T00:00:00Z,2026-01-31T23:59:59Z"
FEBRUARY = "2026-02-01T12:00:00Z,2026-02-01T00:00:00Z,2026-02-28T23:59:59Z"


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., tuple[list[str], object]]:
    def run(*rows: str, head: str = HEAD, options: Sequence[str] = ()) -> tuple[list[str], object]:
        file = tmp_path / "payments.csv"
        file.write_text("\n".join([head, *rows]), encoding="utf-8")
        out = StringIO()
        code: object = 0
        try:
            call_command("import_payments", str(file), *options, stdout=out)
        except SystemExit as end:
            code = end.code
        return out.getvalue().splitlines(), code

    return run


def test_rows_become_payments_that_are_reported(
    run: Callable[..., tuple[list[str], object]], connection: Connection, work: Work
) -> None:
    said, code = run(f"a,10101,10.00,EUR,{JANUARY}", f"b,10101,20.00,EUR,{FEBRUARY}")
    assert (said, code) == (["2 taken, 0 there already, 0 refused."], 0)
    work()
    assert list(Payment.objects.order_by("pk").values_list("status", "source")) == [("reported", "file")] * 2


def test_a_refused_row_is_reported_with_its_line_and_delays_no_other(
    run: Callable[..., tuple[list[str], object]], connection: Connection
) -> None:
    said, code = run(
        f"a,10101,1e2,EUR,{JANUARY}",
        f'"b\nover two lines",10101,10.00,EUR,{JANUARY}',
        f"c,99,10.00,EUR,{JANUARY}",
        f"d,10101,10.00,EUR,{JANUARY}",
        f"e,10101,10.00,EUR,{JANUARY}",
        f"f,10101,10.00,EUR,{JANUARY},more",
        "g,10101",
    )
    assert code == 1
    assert [line.split(":")[0] for line in said[:-1]] == [f"Line {n}" for n in (2, 4, 5, 7, 8, 9)]
    assert said[-1] == "1 taken, 0 there already, 6 refused."
    assert "amount" in said[0]
    assert "overlaps" in said[3]
    assert Payment.objects.get().external_id == "d"


def test_the_same_file_again_changes_nothing(
    run: Callable[..., tuple[list[str], object]], connection: Connection
) -> None:
    run(f"a,10101,10.00,EUR,{JANUARY}")
    assert run(f"a,10101,10.00,EUR,{JANUARY}")[0] == ["0 taken, 1 there already, 0 refused."]
    assert OutgoingCall.objects.filter(kind="report_payment").count() == 1


def test_a_dry_run_judges_and_stores_nothing(
    run: Callable[..., tuple[list[str], object]], connection: Connection
) -> None:
    said, code = run(
        f"a,10101,10.00,EUR,{JANUARY}",
        f"a,10101,11.00,EUR,{JANUARY}",
        f"b,99,10.00,EUR,{JANUARY}",
        options=["--dry-run"],
    )
    assert [line.split(":")[0] for line in said[:-1]] == ["Line 3", "Line 4"]
    assert (said[-1], code) == ("1 would be taken, 0 there already, 2 refused.", 1)
    assert not Payment.objects.exists()


def test_overlaps_are_accepted_when_the_caller_says_so(
    run: Callable[..., tuple[list[str], object]], connection: Connection
) -> None:
    rows = [f"a,10101,10.00,EUR,{JANUARY}", f"b,10101,10.00,EUR,{JANUARY}"]
    assert run(*rows, options=["--allow-overlap"])[1] == 0
    assert Payment.objects.count() == 2


@pytest.mark.parametrize("head", ["external_id,amount", "", "a;b;c"])
def test_a_file_without_the_columns_is_refused_as_a_whole(
    run: Callable[..., tuple[list[str], object]], connection: Connection, head: str
) -> None:
    with pytest.raises(CommandError, match="there is no"):
        run(f"a,10101,10.00,EUR,{JANUARY}", head=head)


@pytest.mark.parametrize("head", [f"{HEAD},amount", f"{HEAD}, amount ", f"{HEAD},paid_at"])
def test_a_column_that_is_named_twice_is_refused(
    run: Callable[..., tuple[list[str], object]], connection: Connection, head: str
) -> None:
    with pytest.raises(CommandError, match="more than once"):
        run(f"a,10101,10.00,EUR,{JANUARY},8.26", head=head)
    assert not Payment.objects.exists()


@pytest.mark.parametrize("name", ["Application_ID", "application id", "appliction_id"])
def test_a_misspelt_column_lets_no_money_go_to_another_application(
    run: Callable[..., tuple[list[str], object]], connection: Connection, settings: Settings, name: str
) -> None:
    settings.ALTEGIO_APPLICATION_ID = connection.application.altegio_id
    with pytest.raises(CommandError, match=rf"names {name}, .*The columns are: .*, application_id\."):
        run(f"a,10101,10.00,EUR,{JANUARY},2", head=f"{HEAD},{name}")
    assert not Payment.objects.exists()


def test_the_column_that_may_be_left_out_is_read(
    run: Callable[..., tuple[list[str], object]], connection: Connection
) -> None:
    said, code = run(f"a,10101,10.00,EUR,{JANUARY},77", head=f"{HEAD},application_id")
    assert (code, "There is no such application" in said[0]) == (1, True)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_file_as_a_spreadsheet_writes_it(tmp_path: Path, connection: Connection, separator: str, end: str) -> None:
    rows = [f"{HEAD},", f"a,10101,10.00,EUR,{JANUARY},", "", ",,,,,,", ",,,,,,,,", " ,,", ""]
    file = tmp_path / "payments.csv"
    file.write_bytes(b"\xef\xbb\xbf" + end.join(rows).replace(",", separator).encode())
    out = StringIO()
    call_command("import_payments", str(file), stdout=out)
    assert out.getvalue() == "1 taken, 0 there already, 0 refused.\n"
    assert Payment.objects.get().exact_amount == Decimal("10.00")


def test_a_file_as_1c_writes_it(tmp_path: Path, connection: Connection) -> None:
    file = tmp_path / "payments.csv"
    file.write_bytes(f"{HEAD}\nСчёт-7,10101,10.00,EUR,{JANUARY}\n".replace(",", ";").encode("windows-1251"))
    call_command("import_payments", str(file), "--encoding", "windows-1251", stdout=StringIO())
    assert Payment.objects.get().external_id == "Счёт-7"


def test_a_value_under_no_column_is_a_mistake(
    run: Callable[..., tuple[list[str], object]], connection: Connection
) -> None:
    said, _code = run(f"a,10101,10.00,EUR,{JANUARY},8.26", head=f"{HEAD},")
    assert "more values" in said[0]


@pytest.mark.parametrize("value", ["990,99", "1E+400", "9" * 5000, "NaN", "10.00\x00"])
def test_an_invalid_amount_is_refused_in_its_row(
    run: Callable[..., tuple[list[str], object]], connection: Connection, value: str
) -> None:
    said, code = run(f'a,10101,"{value}",EUR,{JANUARY}', f"b,10101,10.00,EUR,{JANUARY}")
    assert (said[0][:15], code, Payment.objects.count()) == ("Line 2: amount:", 1, 1)


@pytest.mark.parametrize("moment", ["9999-12-31", "0001-01-01T00:00:00+14:00", "2026-01-01T12:00:00+01:16:20"])
def test_an_invalid_moment_is_refused_in_its_row(
    run: Callable[..., tuple[list[str], object]], connection: Connection, moment: str
) -> None:
    said, code = run(f"a,10101,10.00,EUR,{moment},2026-01-01T00:00:00Z,2026-01-31T23:59:59Z")
    assert (said[0][:16], code) == ("Line 2: paid_at:", 1)


def test_a_file_that_is_not_csv_is_refused_with_the_line(tmp_path: Path, connection: Connection) -> None:
    file = tmp_path / "payments.csv"
    file.write_bytes(f"{HEAD}\na,10101,\xff".encode("latin-1"))
    with pytest.raises(CommandError, match=r"not readable CSV .*Excel saves"):
        call_command("import_payments", str(file), stdout=StringIO())
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_payments", str(tmp_path / "none.csv"), stdout=StringIO())


def test_a_long_file_is_imported_in_bounded_memory(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a batch of rows is in memory: the file is never read further ahead."""
    batch, read, done, ahead = 20, 0, 0, 0
    monkeypatch.setattr("billing.csv_import.BATCH", batch)

    def lines() -> Iterator[Any]:
        nonlocal read
        yield HEAD
        for number in range(20 * batch):
            read += 1
            yield f"bill-{number},10101,10.00,EUR,{JANUARY}"

    for row in import_payments(lines(), overlap=Overlap.ALLOW, dry_run=False):
        assert row.is_new
        ahead = max(ahead, read - done)
        done += 1
    assert done == Payment.objects.count() == 20 * batch
    assert ahead <= batch
