"""Altegio's wire: calls, answers, signatures, times. Knows no Django model and no Celery, usable alone.

Sections named in docstrings are those of Altegio's contract as collected for this product.
"""
