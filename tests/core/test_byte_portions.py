"""Large columns are read in batches that are bounded in bytes as well as in rows."""

import pytest

from accounts.models import User
from partner_portal.core import byte_portions
from partner_portal.core.byte_portions import first_keys, portions

pytestmark = pytest.mark.django_db


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the keys of people whose names have 4, 6, 30, 0 and 10 bytes; 10 bytes are read at once."""
    monkeypatch.setattr(byte_portions, "MAX_BYTES", 10)
    names = ("abcd", "é理x", "x" * 30, "", "y" * 10)
    return [User.objects.create(email=f"{number}@aurora.example", name=name).pk for number, name in enumerate(names)]


@pytest.mark.parametrize(("begin", "most", "count"), [(0, 9, 2), (0, 1, 1), (2, 9, 1), (3, 9, 2), (5, 9, 0)])
def test_a_batch_holds_as_many_as_fit_and_at_least_one(keys: list[int], begin: int, most: int, count: int) -> None:
    rows = User.objects.filter(pk__in=keys[begin:]).order_by("pk")
    assert first_keys(rows, "name", most) == keys[begin : begin + count]


def test_portions_keep_the_order_of_the_keys_and_leave_none_out(keys: list[int]) -> None:
    gone, order = 10**9, [4, 3, 2, 1, 0]
    asked = [*(keys[place] for place in order), gone]
    assert list(portions(User.objects.all(), "name", asked)) == [asked[:2], [asked[2]], asked[3:]]
    assert list(portions(User.objects.all(), "name", [])) == []
