"""The outcome of an exchange, as a test expects it."""

from partner_portal.core.http_client.exchange import HttpAnswer, NoAnswer


def answered(outcome: HttpAnswer | NoAnswer) -> HttpAnswer:
    assert isinstance(outcome, HttpAnswer), outcome
    return outcome


def failed(outcome: HttpAnswer | NoAnswer) -> NoAnswer:
    assert isinstance(outcome, NoAnswer), outcome
    return outcome
