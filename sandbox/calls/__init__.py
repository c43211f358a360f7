"""The calls of docs/altegio.md §2, in one small module for each subject."""

from sandbox.calls import chat, hooks, marketplace, messages, money, people, telephony
from sandbox.calls.registry import Call, Route, find

__all__ = ["Call", "Route", "chat", "find", "hooks", "marketplace", "messages", "money", "people", "telephony"]
