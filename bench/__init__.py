"""Measurements of the running portal."""
