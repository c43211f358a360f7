"""A mail server that takes connections and never answers: calls, alerts and readiness go on beside it."""

from collections.abc import Iterator

import pytest

from sandbox import Sandbox
from tests.accounts.mail_servers import mail_server, silent
from tests.end_to_end.conftest import EMMA
from tests.end_to_end.portal import Portal, wait_for

# More than a worker has threads.
EMAILS = 30
CLEARLY_LESS_THAN_A_TIME_OUT = 6.0


@pytest.fixture
def mail() -> Iterator[str]:
    with mail_server(silent) as port:
        yield f"smtp://127.0.0.1:{port}"


def connect_one(portal: Portal, altegio: Sandbox) -> str:
    _chain, (location,) = altegio.add_chain(1)
    altegio.grant(location, user_id=EMMA)
    return portal.url + portal.page(altegio.arrival_url(location, user_id=EMMA)).headers["Location"]


def write_letters(portal: Portal) -> None:
    for number in range(EMAILS):
        portal.database.query(
            'INSERT INTO accounts_outgoingemail (key, template, "to", language, params, created_at, attempt_count, '
            "error) "
            f"VALUES ('k{number}', 'staff/alerts', 'k{number}@example.com', '', '{{}}', CURRENT_TIMESTAMP, 0, '')"
        )


def tried(portal: Portal) -> int:
    count: int = portal.database.query("SELECT count(*) FROM accounts_outgoingemail WHERE attempt_count > 0")[0][0]
    return count


def test_no_call_waits_for_the_mail_server(portal: Portal, altegio: Sandbox, mail: str) -> None:
    write_letters(portal)
    portal.start_worker("-B", EMAIL_URL=mail, EMAIL_TIMEOUT="10")
    wait_for(lambda: tried(portal), "the worker speaks with the mail server", timeout=40)
    for page in [connect_one(portal, altegio) for _ in range(3)]:
        portal.wait_until_active(page, timeout=CLEARLY_LESS_THAN_A_TIME_OUT)
    wait_for(lambda: "mail" in portal.page("/readyz/").json()["wrong"], "readiness names the mail server", timeout=60)
    assert set(portal.page("/readyz/").json()["wrong"]) == {"mail"}
    portal.database.query("DELETE FROM accounts_outgoingemail")
    portal.database.query("DELETE FROM core_faileditem")
