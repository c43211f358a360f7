"""The product's settings, for a load that comes from one address."""

# ruff: noqa: I001  (the product's settings come first: they let Django's classes take types)
from dataclasses import replace

from partner_portal.settings import *  # noqa: F403
from accounts import limits

limits.ARRIVALS = replace(limits.ARRIVALS, most=10_000_000)
