"""Ready-made parts are tested with the connected locations and API of the features."""

from pathlib import Path
from typing import Any

import pytest

from examples import asterisk_calls
from tests.integrations.conftest import api, arrive, connect, telephony

__all__ = ["api", "arrive", "connect", "telephony"]


@pytest.fixture
def pbx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file of a configured exchange; how far it was sent is stored beside it."""
    file = tmp_path / "Altegio.csv"
    conf = tmp_path / "altegio.conf"
    conf.write_text(f"# the portal\nSALON_ID = 10101\nCDR_FILE='{file}'\n")
    monkeypatch.setenv("ALTEGIO_CONF", str(conf))
    return file


@pytest.fixture
def posted(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Return the ids of the calls in each list that was posted; each is taken."""
    lists: list[list[str]] = []

    def note(_settings: object, _path: str, calls: list[Any]) -> list[Any]:
        lists.append([call["call_id"] for call in calls])
        return [{"code": 202, "id": 1} for _ in calls]

    monkeypatch.setattr(asterisk_calls, "post", note)
    return lists
