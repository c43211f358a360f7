"""Altegio's contract as data: one description of each call and callback, which docs/altegio.md says in words."""
