"""The embedded broker survives workers that look at the wrong moment and processes that die at one."""

from collections.abc import Iterator
from pathlib import Path
from queue import Empty

import pytest
from kombu import Connection

from partner_portal.core.folder_broker import Channel

QUEUE = "celery"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("messages", "control"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def channel(folder: Path) -> Iterator[Channel]:
    options = {
        "data_folder_in": str(folder / "messages"),
        "data_folder_out": str(folder / "messages"),
        "control_folder": str(folder / "control"),
    }
    transport = "partner_portal.core.folder_broker:Transport"
    with Connection("filesystem://", transport=transport, transport_options=options) as connection:
        channel = connection.channel()
        assert isinstance(channel, Channel)
        yield channel


def test_messages_come_out_once_and_in_their_order(channel: Channel) -> None:
    for number in range(3):
        channel._put(QUEUE, {"number": number})
    assert [channel._get(QUEUE)["number"] for _ in range(3)] == [0, 1, 2]
    with pytest.raises(Empty):
        channel._get(QUEUE)


def test_a_message_is_not_there_before_it_is_whole(channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object) -> None:
        raise SystemExit

    monkeypatch.setattr(Path, "replace", die)
    with pytest.raises(SystemExit):
        channel._put(QUEUE, {"number": 1})
    assert channel._size(QUEUE) == 0


@pytest.mark.parametrize("content", ["", '{"body":'])
def test_a_message_cut_short_is_thrown_away_and_the_next_one_comes(
    channel: Channel, folder: Path, content: str
) -> None:
    (folder / "messages" / f"{0:020}_cut.{QUEUE}.msg").write_text(content)
    channel._put(QUEUE, {"number": 1})
    assert channel._get(QUEUE) == {"number": 1}
    assert not list((folder / "messages").iterdir())


@pytest.mark.parametrize("content", ["", "[["])
def test_a_table_of_queues_cut_short_is_written_anew(channel: Channel, folder: Path, content: str) -> None:
    (folder / "control" / "celery.exchange").write_text(content)
    channel._queue_bind("celery", "celery", "", QUEUE)
    assert channel.get_table("celery") == [("celery", "", QUEUE)]


def test_a_queue_is_in_the_table_once_however_often_it_is_bound(channel: Channel) -> None:
    for _ in range(2):
        channel._queue_bind("celery", "celery", "", QUEUE)
    assert channel.get_table("celery") == [("celery", "", QUEUE)]
