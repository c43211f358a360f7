"""BrandLogo: an application's logo, stored in the database so that every web host can serve it."""

from django.db import models

from partner_portal.core.brand import Brand
from partner_portal.core.english import english as _
from partner_portal.core.logos import Logo


class BrandLogo(models.Model):
    """A logo, named by its content. A replaced logo is kept, because e-mails still show it."""

    name = models.CharField(_("name"), max_length=40, primary_key=True)
    content = models.BinaryField()

    class Meta:
        verbose_name = _("logo")
        verbose_name_plural = _("logos")

    def __str__(self) -> str:
        return self.name

    @property
    def url(self) -> str:
        """The address of the logo; a form's file field needs this name."""
        return Brand(logo=self.name).logo_path

    @classmethod
    def keep(cls, logo: Logo) -> "BrandLogo":
        """Return the row of this logo; the same file again is the same row."""
        kept, _made = cls.objects.get_or_create(name=logo.name, defaults={"content": logo.content})
        return kept
