"""The catalogues of translations are complete, in step with the source, and compiled."""

import re

import pytest

from partner_portal import messages

PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[sd]|\{\w+\}|%%")
every_language = pytest.mark.parametrize("language", messages.LANGUAGES)


def texts(language):
    return [message for message in messages.read(language) if message.id]


def forms(string) -> tuple[str, ...]:
    return tuple(string) if isinstance(string, list | tuple) else (string,)


@every_language
def test_no_text_is_missing_or_uncertain(language):
    assert [message.id for message in texts(language) if message.fuzzy or not all(forms(message.string))] == []


@every_language
def test_a_translation_has_the_placeholders_of_its_text(language):
    wrong = []
    for message in texts(language):
        wanted = [sorted(PLACEHOLDER.findall(text)) for text in forms(message.id)]
        # Where the singular needs no number, a language whose "one" is also 21 may name it.
        for place, text in enumerate(forms(message.string)):
            allowed = wanted if place == 0 else wanted[-1:]
            if sorted(PLACEHOLDER.findall(text)) not in allowed:
                wrong.append(text)
    assert wrong == []


@every_language
def test_a_count_has_every_form_of_the_language(language):
    wanted = {"ru": 3, "uk": 3, "pt": 2, "hu": 2}[language]
    counted = [message for message in texts(language) if message.pluralizable]
    assert counted
    assert {len(forms(message.string)) for message in counted} == {wanted}


@every_language
def test_the_spaces_and_ends_of_a_text_are_kept(language):
    def ends(text: str) -> tuple[bool, bool, bool]:
        return text[:1].isspace(), text[-1:].isspace(), text.endswith("…")

    wrong = [
        message.id for message in texts(language) if ends(forms(message.id)[0]) != ends(forms(message.string)[0])
    ]
    assert wrong == []


@every_language
def test_the_source_holds_nothing_new_and_nothing_is_left_over(language):
    """Else run `make messages`, and translate."""
    ids = {(message.context, message.id) for message in texts(language)}
    assert ids == {(message.context, message.id) for message in messages.found() if message.id}


@every_language
def test_the_files_are_as_make_messages_writes_them(language):
    file = messages.po_file(language)
    assert file.read_bytes() == messages.as_po(messages.updated(language))
    assert file.with_suffix(".mo").read_bytes() == messages.as_mo(messages.read(language))


def test_the_list_of_staffs_files_names_no_file_that_is_gone():
    files = [
        str(file.relative_to(messages.ROOT)) for pattern in messages.SOURCES for file in messages.ROOT.glob(pattern)
    ]
    assert [pattern for pattern in messages.STAFF if not any(messages.fnmatch(name, pattern) for name in files)] == []
