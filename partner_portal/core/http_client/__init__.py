"""The one way out: every HTTP exchange that the portal begins goes through `exchange.exchange`.

Each has an end that no other side can move: it is kept at every step on the socket itself, from the question for the
name to the last byte of the answer. Knows no Django.
"""
