"""Altegio's contract as data: one description of each call and callback of docs/altegio.md."""
