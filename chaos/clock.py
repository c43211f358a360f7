"""The portal's clock, which can be set: libfaketime under its web, worker and beat processes.

The wall clock jumps for all of them; the monotonic clock continues, as after a step of NTP. PostgreSQL, Redis and
Altegio keep the true time.
"""

from pathlib import Path


class Clock:
    """The offset of the portal's clock, in seconds, in a file that libfaketime reads each second."""

    def __init__(self, file: Path) -> None:
        self._file = file
        found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
        self.library = found[-1] if found else None
        self.offset = 0
        self.set(0)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that give a process this clock; none if libfaketime is not installed."""
        if self.library is None:
            return {}
        return {
            "PYTHONPATH": str(Path(__file__).parent / "preload"),
            "LD_PRELOAD": str(self.library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            # Otherwise each wait for Python's lock ends at once, and the waiting threads spin.
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
            "FAKETIME_DISABLE_SHM": "1",
        }

    def set(self, offset: int) -> None:
        self.offset = offset
        draft = self._file.with_suffix(".draft")
        draft.write_text(f"{offset:+d}\n")
        draft.replace(self._file)
