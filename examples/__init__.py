"""Small programs to copy that connect exchanges, gateways and cabinets with the portal; each has a page in docs/."""
