"""E-mails printed for lack of a mail server contain no link that works for a reader of the log."""

from io import StringIO

from django.core.mail import EmailMessage

from partner_portal.core.console_email import EmailBackend


def test_a_printed_e_mail_holds_no_link_that_opens_anything() -> None:
    printed = StringIO()
    links = "https://portal.example/account/reset/MQ/abc-def/ https://portal.example/connect/confirm/token-1/"
    message = EmailMessage("New password", f"Open {links}", to=["emma@aurora.example"])
    EmailBackend(stream=printed).send_messages([message])

    text = printed.getvalue()
    assert "To: emma@aurora.example" in text
    assert "Subject: New password" in text
    assert "abc-def" not in text
    assert "token-1" not in text
