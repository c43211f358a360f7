"""The stage of a measurement: the portal's real processes, beside a sandbox, on stores of their own."""

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
# What the bare views write to.
TABLES = """
CREATE TABLE bench_bare (id bigserial PRIMARY KEY, received_at timestamptz NOT NULL DEFAULT now(), body text);
CREATE TABLE bench_statuses (LIKE messaging_messagestatus INCLUDING ALL);
"""


@dataclass(frozen=True)
class Stage:
    """A portal that is migrated and has no process yet, and its Altegio."""

    portal: Portal
    altegio: Sandbox
    folder: Path

    def start_web(self) -> int:
        """The web process as in production. Returns its port."""
        self.portal.start_web(**SETTINGS)
        return port_of(self.portal)

    def start_bare(self) -> int:
        """The bare views on a gunicorn of the same shape, beside the portal's. Returns their port."""
        self.portal.database.query(TABLES)
        bare = self.portal.another_host(self.folder / "bare")
        try:
            bare.start_web(DJANGO_SETTINGS_MODULE="bench.bare")
        finally:
            self.portal.adopt(bare)
        return port_of(bare)

    def connect(self, count: int) -> Sequence[int]:
        """A chain of so many locations is connected, by an arrival. Needs the web. Returns the locations."""
        _chain, locations = self.altegio.add_chain(count)
        self.altegio.grant(locations, user_id=EMMA)
        worker = self.portal.start_worker("-B", **UNLIMITED)
        page = self.portal.page(self.altegio.arrival_url(locations, user_id=EMMA)).headers["Location"]
        self.portal.wait_until_active(page, timeout=120)
        worker.kill()
        return locations

    def key(self, *scopes: str) -> str:
        """The header of one of the partner's own systems."""
        return f"Api-Key {self.portal.command('create_api_key', 'bench', '--scopes', *scopes).split()[-1]}"

    def count(self, table: str) -> int:
        """How many rows there are."""
        found: int = self.portal.database.query(f"SELECT count(*) FROM {table}")[0][0]
        return found


@contextmanager
def stage() -> Iterator[Stage]:
    """A new stage; nothing of it is left afterwards."""
    with tempfile.TemporaryDirectory() as folder, Sandbox(partner_token=PARTNER_TOKEN) as altegio:
        portal = Portal(Path(folder), altegio.app_url)
        altegio.portal_url = portal.url
        try:
            portal.prepare()
            yield Stage(portal, altegio, Path(folder))
        finally:
            portal.close()


def port_of(portal: Portal) -> int:
    """Where its web process listens."""
    return urlsplit(portal.url).port or 80
