"""The catalogues of translations are complete, in step with the source, and compiled."""

import re
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Message

from partner_portal.core import catalogs

PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[sd]|\{\w+\}|%%")
every_language = pytest.mark.parametrize("language", catalogs.LANGUAGES)


def texts(language: str) -> list[Message]:
    return [message for message in catalogs.read(language) if message.id]


def forms(string: Any) -> tuple[str, ...]:
    return tuple(string) if isinstance(string, list | tuple) else (string,)


@every_language
def test_no_text_is_missing_or_uncertain(language: str) -> None:
    assert [message.id for message in texts(language) if message.fuzzy or not all(forms(message.string))] == []


@every_language
def test_a_translation_has_the_placeholders_of_its_text(language: str) -> None:
    wrong = []
    for message in texts(language):
        wanted = [sorted(PLACEHOLDER.findall(text)) for text in forms(message.id)]
        # If the singular needs no number, a language whose "one" is also 21 may name it.
        for place, text in enumerate(forms(message.string)):
            allowed = wanted if place == 0 else wanted[-1:]
            if sorted(PLACEHOLDER.findall(text)) not in allowed:
                wrong.append(text)
    assert wrong == []


@every_language
def test_a_count_has_every_form_of_the_language(language: str) -> None:
    wanted = {"ru": 3, "uk": 3, "pt": 2, "hu": 2}[language]
    counted = [message for message in texts(language) if message.pluralizable]
    assert counted
    assert {len(forms(message.string)) for message in counted} == {wanted}


@every_language
def test_the_spaces_and_ends_of_a_text_are_kept(language: str) -> None:
    def ends(text: str) -> tuple[bool, bool, bool]:
        return text[:1].isspace(), text[-1:].isspace(), text.endswith("…")

    wrong = [
        message.id for message in texts(language) if ends(forms(message.id)[0]) != ends(forms(message.string)[0])
    ]
    assert wrong == []


@every_language
def test_the_catalogues_hold_exactly_the_texts_of_the_source(language: str) -> None:
    """If this fails, run `make translations` and translate."""
    ids = {(message.context, message.id) for message in texts(language)}
    assert ids == {(message.context, message.id) for message in catalogs.found() if message.id}


@every_language
def test_the_files_are_as_make_messages_writes_them(language: str) -> None:
    file = catalogs.po_file(language)
    assert file.read_bytes() == catalogs.as_po(catalogs.updated(language))
    assert file.with_suffix(".mo").read_bytes() == catalogs.as_mo(catalogs.read(language))


def test_the_marking_of_a_text_decides_whether_it_is_for_owners(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "accounts").mkdir()
    owners, staffs = tmp_path / "accounts" / "admin.py", tmp_path / "accounts" / "views.py"
    owners.write_text('from django.utils.translation import gettext as _\n_("An owner reads this.")\n')
    staffs.write_text(f'{catalogs.STAFFS_MARK}\n_("Staff read this.")\n')
    monkeypatch.setattr(catalogs, "ROOT", tmp_path)
    assert [message.id for message in catalogs.found() if message.id] == ["An owner reads this."]
