"""Chaos: a marketplace is played while everything under the portal fails, and then the promises are checked.

`python -m chaos` plays seeds; docs/chaos.md says what is broken and what must hold.
"""
