"""The doctor finds Altegio's time zone from the newest consents and our clock."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from integrations.backoffice.doctor.clock import Sample, fitting_zones, is_local_time
from integrations.connections.models import Connection
from sandbox import Sandbox

pytestmark = pytest.mark.django_db


def doctor(capsys: pytest.CaptureFixture[str]) -> str:
    try:
        call_command("doctor")
    except CommandError as wrong:
        return f"{capsys.readouterr().out}\n{wrong}"
    return str(capsys.readouterr().out)


def test_before_the_first_consent_the_setting_is_trusted_and_the_doctor_says_so(
    altegio: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "not known yet; UTC is assumed" in doctor(capsys)


def test_the_zone_that_fits_is_confirmed(
    altegio: Sandbox, capsys: pytest.CaptureFixture[str], connect: Callable[..., Connection]
) -> None:
    connect(10101)
    assert "UTC fits the newest consents (1)" in doctor(capsys)


def test_a_wrong_zone_is_reported_with_those_that_fit(
    altegio: Sandbox,
    capsys: pytest.CaptureFixture[str],
    connect: Callable[..., Connection],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(altegio.world, "zone", ZoneInfo("Asia/Almaty"))
    connect(10101)
    found = doctor(capsys)
    assert "UTC does not fit the newest consents" in found
    assert "one that fits: Asia/Almaty" in found
    assert "to be mended" in found


def test_a_correct_setting_is_trusted(
    altegio: Sandbox,
    capsys: pytest.CaptureFixture[str],
    connect: Callable[..., Connection],
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
) -> None:
    monkeypatch.setattr(altegio.world, "zone", ZoneInfo("Asia/Almaty"))
    settings.ALTEGIO_TIME_ZONE = "Asia/Almaty"
    connect(10101)
    assert "Asia/Almaty fits" in doctor(capsys)


def consent(written: str, zone: str) -> Sample:
    """Return the finding for a consent at noon UTC."""
    noon = datetime(2026, 3, 1, 12, 0, 3, tzinfo=UTC)
    return Sample(datetime.fromisoformat(f"2026-03-01 {written}:00+00:00"), noon, zone)


def test_moments_in_each_locations_own_time_are_recognised() -> None:
    moscow, lisbon = consent("15:00", "Europe/Moscow"), consent("12:00", "Europe/Lisbon")
    assert "Europe/Moscow" in fitting_zones([moscow])
    assert fitting_zones([moscow, lisbon]) == []
    assert is_local_time([moscow, lisbon])
    assert not is_local_time([moscow, consent("15:00", "Europe/Lisbon")])


def test_a_consent_far_from_its_arrival_says_nothing() -> None:
    assert consent("12:08", "UTC").offset is None
    assert consent("17:45", "UTC").offset == timedelta(hours=5, minutes=45)
