"""The product's settings, for a load that comes from one address."""

from dataclasses import replace

from accounts import limits
from partner_portal.settings import *  # noqa: F403

limits.ARRIVALS = replace(limits.ARRIVALS, most=10_000_000)
