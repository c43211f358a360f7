"""What the apps below `integrations/` have in common: the admin lists them under one heading."""

from partner_portal.core.english import english as _
from partner_portal.core.feature import FeatureConfig


class MarketplaceFeature(FeatureConfig):
    """An app of the marketplace."""

    admin_section = _("Marketplace")
