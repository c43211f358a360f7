"""docs/operations.md as an operator types it, at a portal whose processes run: each command, or why not."""

import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from sandbox import Sandbox
from tests.end_to_end.portal import PARTNER_TOKEN, PROCFILE, ROOT, Port, Portal, Program, activations, once, wait_for
from tests.operations.page import COMMANDS, COMPOSED

LARGEST = (
    "SELECT relname, pg_size_pretty(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' "
    "ORDER BY pg_total_relation_size(oid) DESC LIMIT 10;"
)
EMPTY = 'psql --dbname postgres://… --command "DROP SCHEMA public CASCADE; CREATE SCHEMA public"'
LIST = "pg_restore --list portal-….dump"
RESTORE = "pg_restore --exit-on-error --single-transaction --no-owner --dbname postgres://… portal-….dump"
RESUME = "python manage.py resume_after_restore"
NEEDS_POSTGRESQL = {
    "deploy/backup.sh /var/backups/portal",
    EMPTY,
    LIST,
    RESTORE,
    "python manage.py migrate --noinput",
    RESUME,
    LARGEST,
    "VACUUM",
}
# A command of the page that is typed nowhere stands here with its reason.
NOT_TYPED = {
    **dict.fromkeys(
        (command for command in COMPOSED if " exec " not in command),
        "Docker: compared with compose.yaml by tests/operations/test_documented_commands.py",
    ),
    "docker compose exec postgres psql -U portal -c \"ALTER USER portal PASSWORD 'new'\"": "Docker: its own psql",
    "python manage.py changepassword <e-mail>": "Django's own; it asks at a terminal",
    "DROP INDEX CONCURRENTLY": "the name of a statement, not the whole of one",
}
# What is typed in a container is typed here.
WITHOUT_DOCKER = ("docker compose exec web ", "")
SERVER_PROCESSES = {
    "web": "gunicorn partner_portal.wsgi --config gunicorn.conf.py",
    "worker": "celery -A partner_portal worker",
    "beat": "celery -A partner_portal beat",
}
NOT_INSTALLED = shutil.ignore_patterns(
    ".git", ".venv", ".*_cache", "var", "staticfiles", "docs", "tests", "node_modules"
)
OWNER = 9001


@dataclass
class Operator:
    """Who types the page's commands, and starts the portal anew; `environment` is what is set beside the rest."""

    portal: Portal
    altegio: Sandbox
    environment: dict[str, str] = field(default_factory=dict)
    typed: set[str] = field(default_factory=set)

    def types(self, command: str, *filled: tuple[str, str], more: str = "", **environment: str) -> str:
        """What is read after a command of the page in which the reader's part is filled in."""
        self.notes(command)
        line = command
        for shown, own in filled:
            assert shown in line
            line = line.replace(shown, own)
        return self.portal.shell(line + more, **self.environment, **environment)

    def notes(self, command: str) -> None:
        assert command in COMMANDS, f"{command!r} stands no longer on the page."
        self.typed.add(command)

    def asks(self, sql: str) -> list[tuple[object, ...]]:
        self.notes(sql)
        return self.portal.database.query(sql)

    def restarts(self) -> None:
        """With the worker as beat too, which spares a process."""
        self.portal.stop()
        self.portal.start_web(**self.environment)
        self.portal.start_worker("-B", **self.environment)
        wait_for(lambda: self.portal.page("/readyz/").ok, "the portal is ready")

    def starts(self) -> None:
        for command in SERVER_PROCESSES.values():
            assert command in PROCFILE.values()
            self.notes(command)
        self.portal.start_web(**self.environment)
        self.portal.start_worker(**self.environment)
        self.portal.start_beat(**self.environment)
        wait_for(lambda: self.portal.page("/readyz/").ok, "the portal is ready")

    def connects_a_location(self) -> None:
        """What the portal is for works."""
        _chain, locations = self.altegio.add_chain(1)
        self.altegio.grant(locations, user_id=OWNER)
        answer = self.portal.page(self.altegio.arrival_url(locations, user_id=OWNER))
        assert answer.status_code == 303
        self.portal.wait_until_active(answer.headers["Location"])
        assert activations(self.altegio, locations) == once(locations)


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    """A machine with the code and two servers, on which nothing has been done yet."""
    code = tmp_path / "code"
    shutil.copytree(ROOT, code, ignore=NOT_INSTALLED)
    with Sandbox(partner_token=PARTNER_TOKEN) as altegio:
        alerts = altegio.app_url.replace("http://", "json://") + "/_sandbox/partner"
        portal = Portal(tmp_path, altegio.app_url, ALERT_URLS=alerts, STAFF_TWO_FACTOR="true")
        portal.code = code
        altegio.portal_url = portal.url
        try:
            yield Operator(portal, altegio)
        finally:
            portal.close()


def test_the_page_leads_an_operator_through(operator: Operator, tmp_path: Path) -> None:
    begin(operator)
    tell_and_take_over(operator)
    rotate(operator)
    if operator.portal.database.url.startswith("postgres"):
        lose_the_database(operator, tmp_path)
    else:
        operator.typed |= NEEDS_POSTGRESQL
    try_the_sandbox(operator, tmp_path)

    assert COMMANDS - operator.typed == set(NOT_TYPED), "a command is neither typed nor said why not"


def begin(operator: Operator) -> None:
    operator.types("cp .env.example .env")
    operator.types("python manage.py migrate --noinput && python manage.py collectstatic --noinput")
    said = operator.types(
        "docker compose exec web python manage.py createsuperuser", WITHOUT_DOCKER, more=" --noinput"
    )
    assert "two_factor_link" in said
    operator.starts()
    for command in ("two_factor_link <e-mail>", "two_factor_link <e-mail> --phone-lost"):
        link = operator.types(f"python manage.py {command}", ("<e-mail>", "staff@example.com"))
        assert operator.portal.page(link.strip()).ok
    operator.connects_a_location()
    operator.types("docker compose exec web python manage.py doctor", WITHOUT_DOCKER)
    operator.types("python manage.py check")
    operator.types("python manage.py check --deploy")


def tell_and_take_over(operator: Operator) -> None:
    key = operator.types("python manage.py create_api_key NAME --scopes …", ("NAME", "cabinet"), ("…", "read"))
    authorization = {"Authorization": f"Api-Key {key.split()[-1]}"}
    assert operator.portal.page("/api/v1/connections/", headers=authorization).ok
    assert operator.types("python manage.py send_test_alert") == "Taken by: json.\n"
    signed_by = operator.types("python manage.py rotate_handover_key").split()[1]
    assert signed_by in operator.portal.page("/.well-known/jwks.json").text
    assert "Nothing was changed." in operator.types("python manage.py mend_webhooks --dry-run")
    _chain, [earlier] = operator.altegio.add_chain(1)
    operator.altegio.connect_elsewhere(earlier)
    assert f"#{earlier}" in operator.types("python manage.py adopt_connections --dry-run")
    taken = operator.types("python manage.py adopt_connections --dry-run", (" --dry-run", ""))
    assert re.search(rf"#{earlier} .*: taken over", taken)
    assert "Compared" in operator.types("python manage.py reconcile")
    delete = 'python manage.py shell -c "from partner_portal.core.retention import delete_old; print(delete_old())"'
    assert operator.types(delete)


def rotate(operator: Operator) -> None:
    """The steps of "Field encryption keys"."""
    new = Fernet.generate_key().decode()
    old = operator.portal.shell('echo "$FIELD_ENCRYPTION_KEYS"').strip()
    for keys in (f"{old},{new}", f"{new},{old}"):
        operator.environment["FIELD_ENCRYPTION_KEYS"] = keys
        operator.restarts()
    rotated = operator.types("python manage.py rotate_keys")
    assert not rotated.splitlines()[-1].startswith("0 secrets")
    assert "0 secrets encrypted anew" in operator.types("python manage.py rotate_keys")
    operator.environment["FIELD_ENCRYPTION_KEYS"] = new
    operator.restarts()
    assert "Stored secrets: FIELD_ENCRYPTION_KEYS fits" in operator.types("python manage.py doctor")
    operator.connects_a_location()


def lose_the_database(operator: Operator, folder: Path) -> None:
    """The steps of "Backups": what was there at the backup works again, and what came later is gone."""
    portal = operator.portal
    address = portal.database.url
    own = portal.code / ".env"
    own.write_text(re.sub("^DATABASE_URL=$", f"DATABASE_URL={address}", own.read_text(), flags=re.MULTILINE))
    folders = ("/var/backups/portal", shlex.quote(str(folder / "backups")))
    count = "SELECT count(*) FROM connections_connection"
    before = portal.database.query(count)
    # Not from the environment: from the file that the page fills in.
    dump = operator.types("deploy/backup.sh /var/backups/portal", folders, ENV_FILE="", DATABASE_URL="").strip()
    operator.connects_a_location()
    portal.stop()
    # As a newer version, which is gone back from, may have left it.
    portal.database.query("CREATE TABLE added_since (person bigint REFERENCES accounts_user)")
    portal.database.query("INSERT INTO added_since SELECT id FROM accounts_user")

    assert "TABLE DATA public connections_connection" in operator.types(LIST, ("portal-….dump", dump))
    operator.types(EMPTY, ("postgres://…", address))
    operator.types(RESTORE, ("postgres://…", address), ("portal-….dump", dump))
    operator.types("python manage.py migrate --noinput")
    portal.forget_heartbeat()
    assert "none of the lost time is given out again" in operator.types(RESUME)
    assert portal.database.query(count) == before
    assert portal.database.query("SELECT FROM pg_tables WHERE tablename = 'added_since'") == []
    operator.starts()
    operator.types("python manage.py doctor")
    operator.connects_a_location()
    [(newest,)] = portal.database.query("SELECT max(id) FROM connections_connection")
    assert newest > 1_000_000
    assert len(operator.asks(LARGEST)) == 10
    operator.asks("VACUUM")


def try_the_sandbox(operator: Operator, folder: Path) -> None:
    operator.notes("python -m sandbox")
    port = Port()
    port.free()
    command = ["python", "-m", "sandbox", "--port", str(port.number)]
    program = Program(
        command, {"PATH": f"{Path(sys.executable).parent}"}, folder / "sandbox.log", operator.portal.code
    )
    try:
        wait_for(lambda: "Sandbox Altegio" in (folder / "sandbox.log").read_text(), "the sandbox is there")
    finally:
        program.kill()
