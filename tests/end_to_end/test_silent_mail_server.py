"""A mail server that takes connections and never answers: calls, alerts and readiness go on beside it."""

from collections.abc import Iterator

import pytest

from sandbox import Sandbox
from tests.accounts.mail_servers import mail_server, silent
from tests.end_to_end.conftest import EMMA
from tests.end_to_end.portal import Portal, wait_for

# More than a worker has threads.
EMAILS = 30
# A worker speaks with the silent server for so long; whoever waited for it would be later than that.
EMAIL_TIMEOUT = 55


@pytest.fixture
def mail() -> Iterator[str]:
    with mail_server(silent) as port:
        yield f"smtp://127.0.0.1:{port}"


def connect_one(portal: Portal, altegio: Sandbox) -> str:
    _chain, (location,) = altegio.add_chain(1)
    altegio.grant(location, user_id=EMMA)
    return portal.url + portal.page(altegio.arrival_url(location, user_id=EMMA)).headers["Location"]


def write_emails(portal: Portal) -> None:
    for number in range(EMAILS):
        portal.database.query(
            'INSERT INTO accounts_outgoingemail (key, template, "to", language, params, created_at, attempt_count, '
            "error) "
            f"VALUES ('k{number}', 'staff/alerts', 'k{number}@example.com', '', '{{}}', CURRENT_TIMESTAMP, 0, '')"
        )


def emails(portal: Portal, condition: str) -> int:
    count: int = portal.database.query(f"SELECT count(*) FROM accounts_outgoingemail WHERE {condition}")[0][0]
    return count


def test_no_call_waits_for_the_mail_server(portal: Portal, altegio: Sandbox, mail: str) -> None:
    write_emails(portal)
    portal.start_worker("-B", EMAIL_URL=mail, EMAIL_TIMEOUT=str(EMAIL_TIMEOUT))
    wait_for(lambda: emails(portal, "attempt_count > 0"), "the worker speaks with the mail server", timeout=40)
    for page in [connect_one(portal, altegio) for _ in range(3)]:
        portal.wait_until_active(page)
    assert set(portal.page("/readyz/").json()["wrong"]) <= {"mail"}
    assert not emails(portal, "error <> ''"), "the server still holds the first one"
    portal.database.query("DELETE FROM accounts_outgoingemail")
    portal.database.query("DELETE FROM core_faileditem")
