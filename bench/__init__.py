"""Measurements, run by hand; each says what it needs and prints what it found."""
