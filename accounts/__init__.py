"""People: users, their sign-up and sign-in, the link to an Altegio user, API keys, e-mails."""
