"""A chain is one number with one CRM token: the number alone stands unsigned in a redirect, and proves nothing."""

from typing import Any

from django.db import migrations, models

from partner_portal.encryption import lookup_hash


def note_hashes(apps: Any, _editor: Any) -> None:
    """Chains that were stored before this are recognised by their token too."""
    chains = apps.get_model("integrations", "Chain").objects.exclude(crm_token="")
    for chain in chains.iterator(chunk_size=500):
        chain.crm_token_hash = lookup_hash(chain.crm_token) if chain.crm_token else ""
        chain.save(update_fields=["crm_token_hash"])


class Migration(migrations.Migration):
    dependencies = [("integrations", "0006_an_address_may_rest")]

    operations = [
        migrations.AddField(
            "chain",
            "crm_token_hash",
            models.CharField(db_default="", default="", editable=False, max_length=64),
        ),
        migrations.AddField(
            "chain",
            "is_confirmed",
            models.BooleanField(
                db_default=False, default=False, editable=False, verbose_name="confirmed by staff"
            ),
        ),
        migrations.RunPython(note_hashes, migrations.RunPython.noop),
        migrations.AlterField(
            "chain", "altegio_id", models.BigIntegerField(verbose_name="Altegio's chain id")
        ),
        migrations.AddConstraint(
            "chain",
            models.UniqueConstraint(fields=("altegio_id", "crm_token_hash"), name="a_chain_once_with_a_token"),
        ),
        migrations.AddConstraint(
            "chain",
            models.UniqueConstraint(
                condition=models.Q(("is_confirmed", True)),
                fields=("altegio_id",),
                name="one_confirmed_chain_of_a_number",
            ),
        ),
    ]
