"""The program on the exchange loses no line, whatever becomes of its files."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from examples import asterisk_calls
from tests.ready_made.asterisk import CALLED_OUT, INSIDE, LATER, RANG, TALKED, line, sent


def test_each_line_is_sent_until_it_is_accepted_once(
    pbx: Path, posted: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    pbx.write_text(line(RANG) + line(TALKED) + line(CALLED_OUT)[:20])
    asterisk_calls.main(["send"])
    asterisk_calls.main(["send"])
    assert posted == [[RANG[0], TALKED[0]]]

    def away(_settings: object, _path: str, _calls: object) -> None:
        raise OSError("The portal is away.")

    pbx.write_text(line(RANG) + line(TALKED) + line(CALLED_OUT))
    with monkeypatch.context() as portal:
        portal.setattr(asterisk_calls, "post", away)
        with pytest.raises(SystemExit, match="away"):
            asterisk_calls.main(["send"])
    asterisk_calls.main(["send"])
    assert posted[1:] == [[CALLED_OUT[0]]]


def test_a_full_disk_leaves_the_mark_as_it_was(
    pbx: Path, posted: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    pbx.write_text(line(TALKED))
    asterisk_calls.main(["send"])

    def run_full(file: Path, _text: str) -> int:
        file.open("w").close()
        raise OSError(28, "No space left on device")

    pbx.write_text(line(TALKED) + line(CALLED_OUT))
    with monkeypatch.context() as disk:
        disk.setattr(Path, "write_text", run_full)
        with pytest.raises(SystemExit, match=r"disk is full.*No space left"):
            asterisk_calls.main(["send"])
    asterisk_calls.main(["send"])
    asterisk_calls.main(["send"])
    assert posted == [[TALKED[0]], [CALLED_OUT[0]], [CALLED_OUT[0]]]


@pytest.mark.parametrize("damaged", ["", "\0\0", "soon"])
def test_a_damaged_mark_has_all_sent_anew(pbx: Path, posted: list[list[str]], damaged: str) -> None:
    pbx.write_text(line(TALKED) + line(CALLED_OUT))
    pbx.with_suffix(".sent").write_text(damaged)
    asterisk_calls.main(["send"])
    assert posted == [[TALKED[0], CALLED_OUT[0]]]
    assert sent(pbx) == pbx.stat().st_size


def test_a_mark_of_the_former_version_is_read(pbx: Path, posted: list[list[str]]) -> None:
    pbx.write_text(line(TALKED) + line(CALLED_OUT))
    pbx.with_suffix(".sent").write_text(str(len(line(TALKED))))
    asterisk_calls.main(["send"])
    assert posted == [[CALLED_OUT[0]]]


def renamed(pbx: Path) -> None:
    pbx.rename(f"{pbx}-20261124")


def copied(pbx: Path) -> None:
    shutil.copyfile(pbx, f"{pbx}.1")
    pbx.write_text("")


@pytest.mark.parametrize("rotate", [renamed, copied])
def test_a_rotated_file_is_sent_to_its_end_before_the_new_one(
    pbx: Path, posted: list[list[str]], rotate: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    pbx.write_text(line(TALKED))
    asterisk_calls.main(["send"])
    with pbx.open("a") as lines:
        lines.write(line(CALLED_OUT))
    rotate(pbx)
    asterisk_calls.main(["send"])
    with pbx.open("a") as lines:
        lines.write(line(INSIDE) + line(LATER))
    asterisk_calls.main(["send"])
    asterisk_calls.main(["send"])
    assert posted == [[TALKED[0]], [CALLED_OUT[0]], [INSIDE[0], LATER[0]]]
    assert capsys.readouterr().err == ""


def test_files_that_were_rotated_while_the_portal_was_away_are_sent_in_their_order(
    pbx: Path, posted: list[list[str]]
) -> None:
    pbx.write_text(line(TALKED))
    asterisk_calls.main(["send"])
    for age, (name, row) in enumerate({".2": TALKED, ".1": CALLED_OUT, "": INSIDE, ".1.gz": LATER}.items()):
        file = Path(f"{pbx}{name}")
        file.write_text(line(row))
        os.utime(file, (age, age))
    asterisk_calls.main(["send"])
    assert posted == [[TALKED[0]], [CALLED_OUT[0], INSIDE[0]]]
    assert sent(pbx) == len(line(INSIDE))


def test_a_copy_of_the_file_is_not_sent(pbx: Path, posted: list[list[str]]) -> None:
    pbx.write_text(line(TALKED))
    shutil.copyfile(pbx, f"{pbx}.1")
    asterisk_calls.main(["send"])
    with pbx.open("a") as lines:
        lines.write(line(CALLED_OUT))
    asterisk_calls.main(["send"])
    asterisk_calls.main(["send"])
    assert posted == [[TALKED[0]], [CALLED_OUT[0]]]


def test_a_marked_file_that_is_gone_is_reported_once(
    pbx: Path, posted: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    pbx.write_text(line(TALKED))
    asterisk_calls.main(["send"])
    pbx.write_text("")
    asterisk_calls.main(["send"])
    assert capsys.readouterr().err == ""
    pbx.write_text(line(INSIDE))
    asterisk_calls.main(["send"])
    asterisk_calls.main(["send"])
    assert posted == [[TALKED[0]], [INSIDE[0]]]
    assert capsys.readouterr().err == asterisk_calls.GONE
