"""Measurements; each says on its last line what it measured."""
