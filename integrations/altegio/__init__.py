"""The client for Altegio's API: calls, answers, signatures, times. It uses no Django model and no Celery.

It can be used alone. Sections named in docstrings are those of docs/altegio.md, Altegio's contract as collected for
this product.
"""
