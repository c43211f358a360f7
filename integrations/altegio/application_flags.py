"""The flags of an application in Altegio's developer account, and what each makes possible (docs/altegio.md §1)."""

APPLICATION_FLAGS = {
    "is_personal_data_access_needed": "Altegio says, signed, who presses Connect; tick “personal data access needed” "
    "in the admin as well",
    "is_multiple_salons_allowed": "an owner connects several locations at once",
    "is_iframe": "after Connect the owner finds the portal in the Settings tab",
}
