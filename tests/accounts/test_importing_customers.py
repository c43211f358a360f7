"""A CSV file of customers is imported as a whole by the rules of the API, or not at all; each error
names its line.
"""

from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from accounts import customer_import
from accounts.customer_import import import_customers
from accounts.models import Customer, User
from tests.concurrency import at_once
from tests.marketplace import proven_owner

pytestmark = pytest.mark.django_db
HEAD = "external_id,email,name,phone,language"
Run = Callable[..., tuple[list[str], object]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a function that imports a file of these lines and returns the command's output and its exit code."""

    def run(
        *rows: str, head: str = HEAD, options: tuple[str, ...] = (), line_end: str = "\n"
    ) -> tuple[list[str], object]:
        file = tmp_path / "customers.csv"
        file.write_bytes(line_end.join([head, *rows]).encode())
        out = StringIO()
        code: object = 0
        try:
            call_command("import_customers", str(file), *options, stdout=out)
        except SystemExit as end:
            code = end.code
        return out.getvalue().splitlines(), code

    return run


def test_customers_are_made_and_existing_owners_recognised(run: Run) -> None:
    owner = proven_owner("bela@customer.example")
    said, code = run("C-1,anna@customer.example,Anna,+36201234567,hu", "C-2,BELA@customer.example,Béla,,")
    assert (said, code) == (["2 new, 0 known already, 0 refused."], 0)
    assert list(Customer.objects.order_by("pk").values_list("external_id", "name", "user")) == [
        ("C-1", "Anna", None),
        ("C-2", "Béla", owner.pk),
    ]
    assert User.objects.get(email="anna@customer.example").language == "hu"


def test_the_same_file_may_be_imported_again(run: Run) -> None:
    run("C-1,anna@customer.example,Anna,,")
    said, _code = run("C-1,anna@customer.example,Anna Maria,,", "C-2,bela@customer.example,,,")
    assert said == ["1 new, 1 known already, 0 refused."]
    assert Customer.objects.get(external_id="C-1").name == "Anna Maria"


def test_a_file_may_shift_any_number_of_addresses_by_one_line(run: Run) -> None:
    count = 600
    run(*(f"C-{n},c{n}@customer.example,,," for n in range(count)))
    moved = ("C-0,new@customer.example,,,", *(f"C-{n},c{n - 1}@customer.example,,," for n in range(1, count)))
    said, code = run(*moved)
    assert (said, code) == ([f"0 new, {count} known already, 0 refused."], 0)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_file_is_read_as_programs_save_it(run: Run, separator: str, mark: str, line_end: str) -> None:
    head, row = (text.replace(",", separator) for text in (HEAD, "C-1,a@b.example,A,,"))
    said, code = run(row, "", head=mark + head, line_end=line_end)
    assert (said, code) == (["1 new, 0 known already, 0 refused."], 0)
    assert Customer.objects.get().name == "A"


NINA = "К-1;nina@customer.example;Ніна;+380671234567;uk"


@pytest.mark.parametrize(
    ("as_saved", "options"),
    [
        ("utf-16", ()),
        ("utf-16", ("--encoding", "utf-16")),
        ("windows-1251", ("--encoding", "windows-1251")),
        ("cp1251", ("--encoding", "CP1251")),
        ("utf-8-sig", ("--encoding", "utf-8-sig")),
    ],
)
def test_a_file_is_read_in_the_encoding_that_a_bookkeeping_program_writes(
    tmp_path: Path, as_saved: str, options: tuple[str, ...]
) -> None:
    file = tmp_path / "customers.csv"
    file.write_bytes(f"{HEAD.replace(',', ';')}\r\n{NINA}\r\n".encode(as_saved))
    call_command("import_customers", str(file), *options, stdout=StringIO())
    assert Customer.objects.values_list("external_id", "name").get() == ("К-1", "Ніна")


def test_a_big_endian_file_is_recognised_too(tmp_path: Path) -> None:
    file = tmp_path / "customers.csv"
    file.write_bytes(b"\xfe\xff" + f"{HEAD}\n{NINA.replace(';', ',')}".encode("utf-16-be"))
    call_command("import_customers", str(file), stdout=StringIO())
    assert Customer.objects.get().name == "Ніна"


@pytest.mark.parametrize("name", ["windows-9999", "rot13", "base64", "\0", ""])
def test_an_unknown_encoding_is_refused_with_an_explanation(tmp_path: Path, name: str) -> None:
    with pytest.raises(CommandError, match="there is no encoding"):
        call_command("import_customers", str(tmp_path / "customers.csv"), "--encoding", name, stdout=StringIO())


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "ascii"])
def test_a_file_in_another_encoding_than_stated_is_refused_with_an_explanation(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "customers.csv"
    file.write_bytes(f"{HEAD}\n{NINA.replace(';', ',')}".encode())
    with pytest.raises(CommandError, match=r"--encoding says how.*Nothing was taken"):
        call_command("import_customers", str(file), "--encoding", encoding, stdout=StringIO())


def test_wrong_lines_are_named_and_nothing_is_taken(run: Run) -> None:
    User.objects.create_superuser("root@staff.example", "long enough words")
    said, code = run(
        "C-1,anna@customer.example,Anna,,",
        "C-2,no address,,,",
        '"C-3","c@customer.example","over\ntwo lines",,',
        "C-4,ANNA@customer.example,,,",
        "C-1,other@customer.example,,,",
        ",d@customer.example,,,",
        "C-6,root@staff.example,,,tlh",
        "C-7,root@staff.example,,,",
        "C-8,e@customer.example,,,,more",
        "C-9,f@customer.example,,,",
    )
    numbers = [line.split(":")[0] for line in said[:-1]]
    assert numbers == [f"Line {number}" for number in (3, 6, 7, 8, 9, 10, 11)]
    assert said[-1] == "3 new, 0 known already, 7 refused. Nothing was taken."
    assert code == 1
    assert not Customer.objects.exists()
    assert User.objects.count() == 1


def test_a_rehearsal_says_the_same_and_changes_nothing(run: Run) -> None:
    said, code = run("C-1,anna@customer.example,,,", options=("--dry-run",))
    assert (said, code) == (["1 new, 0 known already, 0 refused. Nothing was changed."], 0)
    assert not User.objects.exists()


def customer_row(line: int, email: str) -> str:
    return f"C-{line},{email}@customer.example,,,"


def test_a_line_is_checked_as_if_all_earlier_lines_were_imported(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.customer_import.BATCH", 2)
    run(customer_row(1, "anna"), customer_row(2, "bela"), customer_row(3, "cili"))
    moved = [
        customer_row(1, "new"),
        customer_row(2, "anna"),
        customer_row(4, "dora"),
        customer_row(3, "bela"),
        customer_row(5, "cili"),
    ]
    assert run(*moved) == (["2 new, 3 known already, 0 refused."], 0)
    assert list(Customer.objects.order_by("external_id").values_list("email", flat=True)) == [
        f"{name}@customer.example" for name in ("new", "anna", "bela", "dora", "cili")
    ]
    said, code = run(
        customer_row(6, "emil"),
        customer_row(7, "fanni"),
        customer_row(8, "gabor"),
        customer_row(9, "EMIL"),
        customer_row(10, "anna"),
    )
    assert (said[:2], code) == (
        ["Line 5: This e-mail is that of the customer C-6.", "Line 6: This e-mail is that of the customer C-2."],
        1,
    )
    assert Customer.objects.count() == 5


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="Rows are locked on PostgreSQL alone.")
def test_an_owner_who_arrives_does_not_wait_for_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.customer_import.BATCH", 1)
    owner = proven_owner("anna@customer.example")
    free: list[User] = []

    @transaction.atomic
    def arrive() -> None:
        free.extend(User.objects.select_for_update(skip_locked=True).filter(pk=owner.pk))

    def lines() -> Iterator[str]:
        yield HEAD
        yield customer_row(1, "anna")
        yield customer_row(2, "bela")
        at_once(arrive)

    list(import_customers(lines(), dry_run=False))
    assert free == [owner]


def test_a_change_between_checking_and_importing_is_reported_with_its_line(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = customer_import._Judge.judge

    def staff_are_faster(self: Any, batch: Any) -> Any:
        judged = judge(self, batch)
        User.objects.create_superuser("anna@customer.example", "long enough words")
        return judged

    monkeypatch.setattr(customer_import._Judge, "judge", staff_are_faster)
    with pytest.raises(CommandError, match=r"Line 2: This e-mail is that of a member of staff\..* Import it again\."):
        run(customer_row(1, "anna"))


@pytest.mark.parametrize(
    "head", ["external_id,email,name,phone", "C-1,anna@customer.example,,,", "", HEAD + ",email", HEAD + ",e-mail"]
)
def test_a_file_without_its_header_is_refused_with_an_explanation(run: Run, head: str) -> None:
    with pytest.raises(CommandError, match=r"The first line .* Nothing was taken"):
        run("C-1,anna@customer.example,,,", head=head)


def test_a_file_that_is_not_utf_8_is_refused_with_an_explanation(tmp_path: Path) -> None:
    file = tmp_path / "customers.csv"
    file.write_bytes(f"{HEAD}\nC-1,anna@customer.example,Bela,,\nC-2,b@b.example,B\xe9la,,".encode("latin-1"))
    with pytest.raises(CommandError, match=r"UTF-8.*--encoding.*Nothing was taken"):
        call_command("import_customers", str(file))
    assert not Customer.objects.exists()
