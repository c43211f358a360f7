"""The rights of the finance role to payments, beyond looking."""

from accounts.roles import Role, register_rights

register_rights(
    Role.FINANCE,
    "billing.add_payment",
    "billing.change_payment",
    "billing.refund_payment",
    "core.add_listexport",
    "billing.add_paymentlink",
    "billing.add_discount",
    "billing.change_tariffoption",
)
