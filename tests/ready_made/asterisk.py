"""What Asterisk writes for some calls, and how far the program on the exchange came."""

from pathlib import Path

from examples import asterisk_calls

OUTSIDE, LINE = "0671234567", "0445370000"
CLIENT = "+380671234567"
AT, TRUNK = "2026-11-24 14:10:00", "PJSIP/trunk-0000a1b1"
RANG = ["1763993400.1234", OUTSIDE, "600", TRUNK, "PJSIP/101-0000a1b2", AT, "0", "NO ANSWER", LINE, ""]
TALKED = ["1763993400.1234", OUTSIDE, "600", TRUNK, "PJSIP/102-0000a1b3", AT, "65", "ANSWERED", LINE, "102.wav"]
CALLED_OUT = ["1763993500.1", "101", OUTSIDE, "PJSIP/101-0000a1b4", TRUNK, AT, "5", "ANSWERED", "", ""]
INSIDE = ["1763993600.1", "101", "102", "SIP/101-1", "SIP/102-2", "2026-11-24 15:00:00", "5", "BUSY", "", ""]
LATER = ["1763993700.1", *CALLED_OUT[1:]]


def line(row: list[str]) -> str:
    return ",".join(f'"{value}"' for value in row) + "\n"


def sent(pbx: Path) -> int:
    """Return how many bytes of the file were sent."""
    return asterisk_calls.read_mark(pbx.with_suffix(".sent")).offset
