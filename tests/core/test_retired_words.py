"""Retired words (CHANGELOG, "Renamed") do not come back as names in the code."""

import re
import tokenize
from pathlib import Path

import pytest

PACKAGES = ("accounts", "billing", "integrations", "partner_portal")
# The word to use instead, for the error message.
RETIRED = {
    "alarm": "alert",
    "alarms": "alerts",
    "asks first": "verify_before_retry",
    "borrowed words": "extra_translations",
    "carry": "execute",
    "connection keys": "one word for each key",
    "day sum": "DailyCounts",
    "dead lines": "stale_connections",
    "desk": "ClaimPlan",
    "doubt": "unconfirmed",
    "doubtful": "unconfirmed",
    "doubts": "unconfirmed",
    "everyday": "quick_filters",
    "evidence admin": "ReadOnlyAdmin",
    "gives up after": "max_age",
    "hand on": "forward",
    "handing on": "fan_out",
    "happening": "ConnectionEvent",
    "kept by nobody": "no_store",
    "lacks factor": "needs_second_factor",
    "lane": "ordering_key",
    "lately": "recent",
    "letter": "email",
    "letters": "emails",
    "makes sense": "is_offered",
    "news": "notification",
    "own credential": "uses_own_credential",
    "pass of": "make_frame_token",
    "proves itself": "recently_authenticated",
    "pump": "dispatch",
    "repeatable": "idempotent",
    "room admin": "BaseAdmin",
    "saved call": "PhoneCall",
    "saved calls": "PhoneCall",
    "sets state": "last_write_wins",
    "tell what is new": "send_digests",
    "tells enough": "is_conclusive",
    "thawed": "REACTIVATED",
    "to https": "redirect_to_https",
    "told": "payload, notified, sent",
    "waker": "Debouncer",
    "wanted email": "pending_email",
    "wish ended": "EmailChangeCancelledError",
    "worth an alarm": "alert_on_failure",
}
# MOST_BYTES, LONGEST_PAUSE and most_failures break the rule that a limit is a MAX_.
LIMITS = re.compile(r"(?:MOST|LONGEST)(?:_\w+)?|(?:most|longest)_\w+")
# Allowed are a name of the standard library, a term of the field, and new names that contain an old one.
ALLOWED = re.compile(r"most_common|dead_?letters?|uses_own_credential|redirect_to_https", re.IGNORECASE)
PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def retired_words(name: str) -> list[str]:
    """Return the retired words in a name, however it is written: `tells_enough`, `TELLS_ENOUGH`, `TellsEnough`,
    `Lanes`.
    """
    kept = ALLOWED.sub("", name)
    parts = [part.lower() for part in PART.findall(kept)]
    spaced = f" {' '.join(parts)} | {' '.join(part.removesuffix('s') for part in parts)} "
    limits = ["a limit that is no MAX_"] if LIMITS.fullmatch(kept.strip("_")) else []
    return [word for word in RETIRED if f" {word} " in spaced] + limits


def names_in(path: Path) -> list[tuple[int, str]]:
    """Return every name in a module's code, with its line, without comments and texts."""
    with path.open("rb") as source:
        tokens = list(tokenize.tokenize(source.readline))
    return [(token.start[0], token.string) for token in tokens if token.type == tokenize.NAME]


def modules() -> list[Path]:
    return [path for package in PACKAGES for path in Path(package).rglob("*.py") if "migrations" not in path.parts]


@pytest.mark.parametrize(
    "name",
    [
        "tells_enough",
        "TELLS_ENOUGH",
        "TellsEnough",
        "_told",
        "LETTERS",
        "SavedCall",
        "ORDER_LANES",
        "MOST_X",
        "most_x",
    ],
)
def test_a_retired_word_is_seen_in_any_spelling(name: str) -> None:
    assert retired_words(name)


@pytest.mark.parametrize("name", ["dead_letters", "DeadLetter", "most_common", "untold", "airplane", "almost_done"])
def test_other_words_are_left_alone(name: str) -> None:
    assert retired_words(name) == []


def test_names_are_read_and_comments_are_not(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text('"""told"""\nletter = "told"  # told\n')

    assert names_in(module) == [(2, "letter")]


@pytest.mark.parametrize("package", PACKAGES)
def test_no_retired_word_is_a_name_in_the_code(package: str) -> None:
    found = [
        f"{path}:{line}: {name}: say {', '.join(RETIRED.get(word, word) for word in words)}"
        for path in modules()
        if path.parts[0] == package
        for line, name in names_in(path)
        if (words := retired_words(name))
    ]

    assert not found, "\n".join(found)


def test_no_module_is_called_by_a_retired_word() -> None:
    assert [path for path in modules() if retired_words(path.stem)] == []


def test_owners_texts_say_letters_only_of_an_alphabet() -> None:
    texts = Path("locale/ru/LC_MESSAGES/django.po").read_text(encoding="utf-8").split("msgid ")

    about_emails = [text.splitlines()[0] for text in texts if re.search(r"\bletters?\b", text)]

    assert about_emails
    assert [text for text in about_emails if not re.search("(Cyrillic|Latin) letters", text)] == []
