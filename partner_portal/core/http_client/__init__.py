"""The portal's HTTP client: every outgoing request goes through `exchange.exchange`.

Each exchange has a deadline that the other side cannot move. Every step on the socket keeps it, from the DNS lookup
to the last byte of the answer. The package does not import Django.
"""
