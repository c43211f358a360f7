"""Telephone numbers become E.164, however the exchange writes them."""

import pytest

from integrations.telephony.numbers import InvalidPhoneNumberError, e164, is_extension, region_of


@pytest.mark.parametrize(
    ("text", "region", "expected"),
    [
        ("+44 20 7183 8750", None, "+442071838750"),
        ("442071838750", "UA", "+442071838750"),
        ("020 7183 8750", "GB", "+442071838750"),
        ("00442071838750", "GB", "+442071838750"),
        ("00442071838750", None, "+442071838750"),
        ("8 (495) 123-45-67", "RU", "+74951234567"),
        ("74951234567", "RU", "+74951234567"),
        ("79161234567", "GB", "+79161234567"),
        ("(06 1) 555-0301", "HU", "+3615550301"),
        ("+15551234567", None, "+15551234567"),
    ],
)
def test_a_number_is_normalised(text: str, region: str | None, expected: str) -> None:
    assert e164(text, region) == expected


@pytest.mark.parametrize(
    "text", ["", "anonymous", "+", "12", "+999123", "+44 20", "123456789012345678901", f"+44{' ' * 99}2071838750"]
)
def test_an_invalid_number_is_refused(text: str) -> None:
    with pytest.raises(InvalidPhoneNumberError):
        e164(text, "GB")


@pytest.mark.parametrize("extension", ["x1", " ext. 12", ") ;ext=12", ", доб. 12", "  #  1234567"])
def test_an_extension_is_left_out(extension: str) -> None:
    assert e164(f"+44 20 7183 8750{extension}", None) == "+442071838750"


@pytest.mark.parametrize("filling", [" ", ")", "0", " x1"])
def test_a_text_longer_than_any_number_is_refused(filling: str) -> None:
    with pytest.raises(InvalidPhoneNumberError):
        e164(f"+44 20 7183 8750{filling * 100_000}x1", "GB")


def test_extensions_are_short_digits() -> None:
    assert is_extension("101")
    assert not is_extension("+442071838750")


@pytest.mark.parametrize(
    ("country", "zone", "expected"),
    [
        ("United Kingdom", "", "GB"),
        ("Russia", "", "RU"),
        ("Hungary", "", "HU"),
        ("de", "", "DE"),
        ("Россия", "", "RU"),
        ("Magyarország", "", "HU"),
        ("Угорщина", "", "HU"),
        ("Reino Unido", "", "GB"),
        ("Turkey", "", "TR"),
        ("USA", "", "US"),
        ("Elsewhere", "Europe/Kyiv", "UA"),
        ("Elsewhere", "Europe/Kiev", "UA"),
        ("", "Asia/Almaty", "KZ"),
        ("Atlantis", "Nowhere/Town", None),
        ("", "Etc/UTC", None),
    ],
)
def test_the_region_is_the_locations_country(country: str, zone: str, expected: str | None) -> None:
    assert region_of(country, zone) == expected


@pytest.mark.parametrize(
    "text",
    [
        "9161234567",  # Moscow, and eleven other countries
        "84951234567",  # Moscow with its trunk prefix, and Hanoi
        "51987654321",  # Porto Alegre, and Lima
        "15012345678",  # a mobile in China, and Arkansas
        "0671234567",
        "380671234567",
        "442071838750",
    ],
)
def test_without_a_country_no_number_is_guessed_and_the_refusal_says_what_to_do(text: str) -> None:
    with pytest.raises(InvalidPhoneNumberError, match=r"with \+ and the country code.*/lines/"):
        e164(text, None)
