"""The doctor, which checks whether the portal is configured, reaches what it needs and is known to Altegio."""
