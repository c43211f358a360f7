"""Measurements, each of them one command; a test suite is no place for them."""
