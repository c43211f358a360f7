"""Measurements: `make bench`, or `python -m bench [PART …]` for some of them (bench/README.md)."""
