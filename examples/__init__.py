"""Ready-made ends for exchanges and gateways: small programs to copy; each has a page in docs/."""
