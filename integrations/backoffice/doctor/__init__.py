"""The doctor: is the portal configured, can it reach what it needs, and what does Altegio need to know of it."""
