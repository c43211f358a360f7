"""The stage of a measurement: the portal's real processes and a sandbox, with databases of their own."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sandbox import Sandbox
from tests.end_to_end.portal import PARTNER_TOKEN, Portal

EMMA = 9001
SETTINGS = {"DJANGO_SETTINGS_MODULE": "bench.settings"}
UNLIMITED = {"ALTEGIO_REQUESTS_PER_SECOND": "1000", "ALTEGIO_REQUESTS_PER_MINUTE": "60000"}
PER_SECOND, PER_MINUTE = 5, 200
DEFAULTS = {"ALTEGIO_REQUESTS_PER_SECOND": str(PER_SECOND), "ALTEGIO_REQUESTS_PER_MINUTE": str(PER_MINUTE)}
# The tables of the bare views.
TABLES = """
CREATE TABLE bench_bare (id bigserial PRIMARY KEY, received_at timestamptz NOT NULL DEFAULT now(), body text);
CREATE TABLE bench_statuses (LIKE messaging_messagestatus INCLUDING ALL);
"""


@dataclass(frozen=True)
class Stage:
    """A portal that is migrated and has no process yet, with its Altegio."""

    portal: Portal
    altegio: Sandbox
    folder: Path

    def start_web(self) -> int:
        """Start the web process as in production, and return its port."""
        self.portal.start_web(**SETTINGS)
        return port_of(self.portal)

    def start_bare(self) -> int:
        """Start the bare views on a gunicorn of the same shape beside the portal's, and return their port."""
        self.portal.database.query(TABLES)
        bare = self.portal.another_host(self.folder / "bare")
        try:
            bare.start_web(DJANGO_SETTINGS_MODULE="bench.bare")
        finally:
            self.portal.adopt(bare)
        return port_of(bare)

    def connect(self, count: int) -> Sequence[int]:
        """Connect a chain of so many locations by one arrival, and return them. The web process must be running."""
        _chain, locations = self.altegio.add_chain(count)
        self.altegio.grant(locations, user_id=EMMA)
        worker = self.portal.start_worker("-B", **UNLIMITED)
        page = self.portal.page(self.altegio.arrival_url(locations, user_id=EMMA)).headers["Location"]
        self.portal.wait_until_active(page, timeout=120)
        worker.kill()
        return locations

    def key(self, *scopes: str) -> str:
        """Create an API key with these scopes, and return its Authorization header."""
        return f"Api-Key {self.portal.command('create_api_key', 'bench', '--scopes', *scopes).split()[-1]}"

    def count(self, table: str) -> int:
        """Return the number of rows in a table."""
        found: int = self.portal.database.query(f"SELECT count(*) FROM {table}")[0][0]
        return found


@contextmanager
def stage() -> Iterator[Stage]:
    """Set up a new stage for the block; nothing of it is left afterwards."""
    with tempfile.TemporaryDirectory() as folder, Sandbox(partner_token=PARTNER_TOKEN) as altegio:
        portal = Portal(Path(folder), altegio.app_url)
        altegio.portal_url = portal.url
        try:
            portal.prepare()
            yield Stage(portal, altegio, Path(folder))
        finally:
            portal.close()


def port_of(portal: Portal) -> int:
    """Return the port that the portal's web process listens on."""
    return urlsplit(portal.url).port or 80
