"""The base of the app configurations below `integrations/`, which the admin lists under one heading."""

from partner_portal.core.english import english as _
from partner_portal.core.feature import FeatureConfig


class MarketplaceFeature(FeatureConfig):
    """The configuration of a marketplace app."""

    admin_section = _("Marketplace")
