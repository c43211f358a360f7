"""The product's settings with one address more: the bare view that the payments API is compared with."""

from partner_portal.settings import *  # noqa: F403

ROOT_URLCONF = "bench.payments_urls"
