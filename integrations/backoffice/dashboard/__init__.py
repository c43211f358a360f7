"""The control room's first page: what is going on, at a glance; every number leads to its list."""
