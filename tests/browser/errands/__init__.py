"""Errands: the tasks that people really come for, click by click, on one portal in the middle of its life."""
