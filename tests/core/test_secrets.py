"""Secrets appear in no log line, page, error report or plain column."""

import logging
import re
from secrets import token_hex
from typing import Any

import pytest
import sentry_sdk
from django.test import Client, RequestFactory
from django.views.debug import get_exception_reporter_class
from pytest_django.fixtures import Settings

from accounts.models import User
from integrations.connections.models import Application, Chain, Installation
from partner_portal.core.error_reports import start, without_secrets
from partner_portal.core.masking import MASK, MAX_LOGGED, mask, mask_for_log
from sandbox import Sandbox
from tests.kept import as_written, everything_stored
from tests.marketplace import AURORA_1, EMMA, TELEPHONY, arrive
from tests.not_none import not_none
from tests.working import Work

pytestmark = pytest.mark.django_db


def test_no_plain_column_holds_a_secret(client: Client, altegio: Sandbox, work: Work, settings: Settings) -> None:
    url = altegio.arrival_url(AURORA_1, user_id=EMMA, application_id=TELEPHONY)
    user_data = not_none(re.search(r"user_data=([^&]+)", url)).group(1)
    Application.objects.create(altegio_id=TELEPHONY, kind="telephony")
    arrive(client, altegio, AURORA_1, application_id=TELEPHONY)
    work()

    chain, keys = Chain.objects.get(), Installation.objects.get()
    stored = everything_stored()
    assert chain.telephony == "on", "the CRM token was used"
    for secret in (settings.ALTEGIO_PARTNER_TOKEN, chain.crm_token, keys.api_key, keys.events_key, user_data):
        assert secret
        assert secret not in stored


def test_no_log_line_holds_a_secret(
    caplog: pytest.LogCaptureFixture, client: Client, altegio: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integrations.connect.arrivals.receive_signed", lambda *_: 1 / 0)
    client.raise_request_exception = False
    answer = arrive(client, altegio, AURORA_1)
    logged = as_written(caplog.records)

    assert answer.status_code == 500
    assert "ZeroDivisionError" in logged
    assert "/connect/" in logged
    assert "user_data=" not in logged


def test_an_error_report_holds_no_secret(rf: RequestFactory, settings: Settings) -> None:
    hidden = [token_hex(8) for _ in range(4)]
    request = rf.post(
        f"/connect/?user_data={hidden[0]}", {"password": hidden[1]}, HTTP_COOKIE=f"sessionid={hidden[2]}"
    )
    request.user = User(email="x@example.com")
    try:
        crm_token = hidden[3]
        crm_token.index("?")
    except ValueError as error:
        reporter_class: Any = get_exception_reporter_class(request)
        reporter = reporter_class(request, type(error), error, error.__traceback__)
    report = reporter.get_traceback_text() + reporter.get_traceback_html()

    assert "ValueError" in report
    for secret in (*hidden, settings.ALTEGIO_PARTNER_TOKEN):
        assert secret not in report


@pytest.mark.parametrize(
    "text",
    [
        "GET /connect/?salon_id=1&user_data=SECRET&user_data_sign=SECRET",
        '{"crm_token": "SECRET", "type": "enable"}',
        "{'partner_token': 'SECRET'}",
        "Authorization: Bearer SECRET, User x",
        "Api-Key SECRET",
        "https://portal.example.com/altegio/events/SECRET/",
        "https://app.alteg.io/smsprovider/status/callback/SECRET",
        "POST https://app.alteg.io/smsprovider/7/v2/callback/SECRET 401",
        "/connect/status/SECRET/",
        "/account/reset/MQ/SECRET/",
        "/account/email/SECRET/",
        "/account/erase/SECRET/",
        "password=SECRET&x=1",
        "GET /open/eyJSECRET.eyJSECRET.SECRET/",
        "of-a-hand-over-eyJSECRET.eyJSECRET.SECRET",
    ],
)
def test_a_secret_is_masked_however_it_is_written(text: str) -> None:
    assert "SECRET" not in mask(text)
    assert MASK in mask(text)


def test_masking_knows_the_partner_token_wherever_it_stands(settings: Settings) -> None:
    assert settings.ALTEGIO_PARTNER_TOKEN not in mask(f"x{settings.ALTEGIO_PARTNER_TOKEN}y")


def test_a_long_path_is_left_out_of_the_log(caplog: pytest.LogCaptureFixture, client: Client) -> None:
    assert client.get(f"/{'eyJ-' * 50_000}/").status_code == 404
    [line] = as_written(caplog.records).splitlines()
    assert "Not Found" in line
    assert len(line) < 1000


def test_a_log_line_keeps_the_start_and_the_end_of_a_long_traceback(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("portal").error("Traceback: %s\nValueError: no number", "a line of it\n" * 5000)
    written = as_written(caplog.records)
    assert "Traceback: a line of it" in written
    assert "ValueError: no number" in written
    assert len(written) < 3 * MAX_LOGGED


@pytest.mark.parametrize(
    "text",
    [
        "user_data=SECRET",
        "/account/reset/MQ/SECRET/",
        "Bearer SECRET",
        "eyJSECRET.eyJSECRET.SECRET",
        "password='SECRET SECRET'",
    ],
)
def test_a_secret_at_the_cut_of_a_long_text_is_not_shown(text: str) -> None:
    half = MAX_LOGGED // 2
    for inside in range(len(text) + 2):
        cut_at_the_start = f"{'a' * (half - inside - 1)} {text}\n{'z' * MAX_LOGGED}"
        cut_at_the_end = f"{'z' * MAX_LOGGED} {text}\n{'a' * (half - inside - 1)}"
        shown = mask_for_log(cut_at_the_start) + mask_for_log(cut_at_the_end)
        assert "aaa" in shown
        assert not [part for part in ("SEC", "RET", "eyJ") if part in shown]


@pytest.mark.parametrize(("host", "path"), [("scanner.example", "/healthz/"), ("testserver", "/a\x00b/")])
def test_a_request_that_django_refuses_is_not_logged_as_an_error(
    caplog: pytest.LogCaptureFixture, client: Client, settings: Settings, host: str, path: str
) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    assert client.get(path, headers={"host": host}).status_code == 400
    lines = as_written(caplog.records)
    assert "warning" in lines
    assert "error" not in lines
    assert "Traceback" not in lines


def test_an_error_of_the_portal_keeps_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    try:
        int("x")
    except ValueError:
        logging.getLogger("django.request").exception("failed", extra={"status_code": 500})
    assert "Traceback" in as_written(caplog.records)


def test_no_refused_request_is_reported_to_sentry(monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[str] = []
    init = sentry_sdk.init

    def capture(**options: Any) -> None:
        keep = {"before_send": lambda event, _hint: reported.append(event["logger"])}
        init(**options | keep)

    monkeypatch.setattr(sentry_sdk, "init", capture)
    start("https://key@sentry.example/1")
    try:
        for name in ("django.security.DisallowedHost", "billing.intake"):
            logging.getLogger(name).error("it failed")
    finally:
        init()
    assert reported == ["billing.intake"]


def test_a_report_to_sentry_holds_no_secret(settings: Settings) -> None:
    secret, token = token_hex(8), settings.ALTEGIO_PARTNER_TOKEN
    event = {
        "request": {"url": f"http://x/connect/?user_data={secret}", "query_string": secret, "cookies": {"a": secret}},
        "exception": {"values": [{"value": f"crm_token={secret}", "stacktrace": {"frames": [{"x": token}]}}]},
    }
    sent = str(without_secrets(event))
    assert "http://x/connect/" in sent
    assert secret not in sent
    assert token not in sent


def test_a_report_to_sentry_holds_no_long_text() -> None:
    sent = without_secrets({"breadcrumbs": [{"message": f"Not Found: /{'eyJ-' * 50_000}/"}]})
    assert "Not Found" in str(sent)
    assert len(str(sent)) < MAX_LOGGED
