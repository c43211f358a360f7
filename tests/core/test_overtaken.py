"""A transaction that overtakes another succeeds, and each one that starts again gets its turn."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError, OperationalError

from partner_portal.core import overtaken
from partner_portal.core.overtaken import OvertakenError, again_when_overtaken

pytestmark = pytest.mark.django_db


def overtaken_by(number: int, error: Exception) -> Callable[[], str]:
    others = iter(range(number))

    @again_when_overtaken
    def work() -> str:
        if next(others, None) is not None:
            raise error
        return "done"

    return work


def deadlock(sqlstate: str) -> OperationalError:
    cause = Exception()
    cause.sqlstate = sqlstate  # type: ignore[attr-defined]
    error = OperationalError()
    error.__cause__ = cause
    return error


@pytest.mark.parametrize("error", [OvertakenError(), IntegrityError(), deadlock("40P01")])
def test_a_crowd_overtakes(error: Exception) -> None:
    assert overtaken_by(40, error)() == "done"


def test_an_error_that_no_retry_fixes_is_raised_at_once() -> None:
    with pytest.raises(OperationalError):
        overtaken_by(1, deadlock("57P01"))()


def test_nothing_is_repeated_beyond_the_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overtaken, "PATIENCE", 0.0)
    with pytest.raises(OvertakenError):
        overtaken_by(1, OvertakenError())()
