"""Where no mail server is set, e-mails are printed: without what their links prove."""

from django.core.mail import EmailMessage
from django.core.mail.backends.console import EmailBackend as StockBackend

from partner_portal.core.masking import mask

# `settings.EMAIL_BACKEND` where e-mails reach nobody.
PRINTED = "partner_portal.core.console_email.EmailBackend"


class EmailBackend(StockBackend):
    """`EMAIL_BACKEND` where `EMAIL_URL` is empty. What is printed may end in a log, so its links open nothing."""

    def write_message(self, message: EmailMessage) -> None:
        head = f"To: {', '.join(message.recipients())}\nSubject: {message.subject}\n\n"
        self.stream.write(f"{head}{mask(str(message.body))}\n{'-' * 79}\n")
