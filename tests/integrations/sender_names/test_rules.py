"""Which sender names may be."""

import pytest

from integrations.sender_names.rules import list_problems, name_problem


@pytest.mark.parametrize(
    "name",
    ["Aurora", "12345678901", "Café & Co.", "123456789012345", "+4912345", "Öäüß", "A", "agency", "5€ 5€ off"],
)
def test_a_name_within_the_rules_is_accepted(name: str) -> None:
    assert name_problem(name) == ""


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "Write a name"),
        ("   ", "Write a name"),
        (None, "Write a name"),
        (5, "Write a name"),
        ("Медведь", "Cyrillic"),
        ("Cаfe", "Cyrillic"),
        ("MyAltegio", "altegio"),
        ("ALTEGIO", "altegio"),
        ("Ag", "ag"),
        ("AG", "ag"),
        ("Aurora Beauty", "11 characters"),
        ("1234567890€", "11 characters"),
        ("1234567890123456", "15"),
        ("Tőke", "ő"),
        ("Aurora 💇", "💇"),
        (" Aurora", "space"),
        ("Au\nrora", "U+000A"),
        ("Au\ud800", "U+D800"),
    ],
)
def test_these_may_not_be_and_it_is_said_why(name: int | str | None, why: str) -> None:
    assert why in name_problem(name)


def test_a_name_twice_is_named_by_its_index() -> None:
    assert list(list_problems(["Aurora", "Aurora Spa", "Aurora"])) == [2]
