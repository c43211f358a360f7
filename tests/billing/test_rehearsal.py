"""The moderators' five checks are rehearsed on the sandbox; somebody presses Connect when asked."""

from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import User
from billing.rehearsal import PRESSES
from integrations.connections.models import Arrival, Connection
from sandbox import Sandbox
from tests.marketplace import AURORA_1, EMMA, MARIA, arrive
from tests.working import Work

pytestmark = pytest.mark.django_db


class Owner(StringIO):
    """A terminal whose reader presses Connect each time it asks, while the portal works on."""

    def __init__(self, press: Callable[[int], None]) -> None:
        super().__init__()
        self.presses = 0
        self._press = press

    def write(self, text: str) -> int:
        written = super().write(text)
        if text.startswith("Press Connect now"):
            self._press(self.presses)
            self.presses += 1
        return written


def rehearse(press: Callable[[int], None], wait: float = 5) -> str:
    owner = Owner(press)
    call_command("rehearse_moderation", salon_id=str(AURORA_1), wait=wait, stdout=owner)
    assert owner.presses == PRESSES
    return owner.getvalue()


@pytest.fixture
def emma(client: Client, altegio: Sandbox, work: Work) -> Callable[[int], None]:
    """Emma comes through the browser, and the portal's own worker is the faster one."""

    def press(_number: int) -> None:
        arrive(client, altegio, AURORA_1)
        work()

    return press


def test_the_five_checks_hold_and_the_location_is_left_clean(emma: Callable[[int], None]) -> None:
    report = rehearse(emma)
    assert report.count("✓") == 5
    assert "✗" not in report
    assert {"is_personal_data_access_needed", "is_multiple_salons_allowed", "is_iframe"} <= set(report.split())
    assert not Connection.objects.not_ended().exists()


def test_the_rehearsal_watches_for_an_owner_and_does_not_arrive_itself(emma: Callable[[int], None]) -> None:
    rehearse(emma)
    assert set(Arrival.objects.values_list("altegio_user_id", flat=True)) == {EMMA}
    assert User.objects.count() == 1


def test_another_returning_person_does_not_pass_the_check_of_known_owners(
    client: Client, altegio: Sandbox, work: Work
) -> None:
    def press(number: int) -> None:
        arrive(client, altegio, AURORA_1, EMMA if number == 0 else MARIA)
        work()

    with pytest.raises(CommandError, match="did not hold"):
        rehearse(press)


def test_the_instruction_texts_have_the_length_altegio_takes(emma: Callable[[int], None]) -> None:
    texts = rehearse(emma).split("(for the submission):\n")[1:]
    assert len(texts) == 2
    assert all(3 <= len(text.split("\n\n")[0]) <= 1000 for text in texts)


def test_the_rehearsal_says_where_to_press_connect_and_stops_waiting(
    altegio: Sandbox, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("billing.rehearsal.POLL", 0.05)
    with pytest.raises(CommandError, match="Not all checks could be shown"):
        call_command("rehearse_moderation", salon_id=str(AURORA_1), wait=0.1)
    assert f"{altegio.app_url}/appstore/{AURORA_1}/applications/1/info" in capsys.readouterr().out


def test_the_rehearsal_touches_no_location_in_use(emma: Callable[[int], None]) -> None:
    emma(0)
    with pytest.raises(CommandError, match="did not hold"):
        call_command("rehearse_moderation", salon_id=str(AURORA_1))
    assert Connection.objects.get().state == "active"
