"""An e-mail backend for portals without a mail server: it prints e-mails, with the tokens in their links masked."""

from django.core.mail import EmailMessage
from django.core.mail.backends.console import EmailBackend as StockBackend

from partner_portal.core.masking import mask

# The value of `settings.EMAIL_BACKEND` if e-mails reach nobody.
PRINTED = "partner_portal.core.console_email.EmailBackend"


class EmailBackend(StockBackend):
    """`EMAIL_BACKEND` if `EMAIL_URL` is empty. Printed e-mails may end up in a log, so their links are masked."""

    def write_message(self, message: EmailMessage) -> None:
        head = f"To: {', '.join(message.recipients())}\nSubject: {message.subject}\n\n"
        self.stream.write(f"{head}{mask(str(message.body))}\n{'-' * 79}\n")
