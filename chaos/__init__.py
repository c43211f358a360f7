"""Chaos: a marketplace lives while everything under the portal fails; then the promises are checked.

`python -m chaos` plays seeds; docs/chaos.md says what is broken and what must hold.
"""
