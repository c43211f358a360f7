"""The admin's first page, which shows what is going on at a glance; every number links to its list."""
