"""Altegio's side: a stand-alone program that answers as Altegio does.

It is for trying out and testing the portal. It needs only the standard library and pydantic, and imports nothing of
the portal.
"""

from sandbox.faults import Fault
from sandbox.journal import LoggedCall, SentCallback
from sandbox.models import Connection, Status
from sandbox.refusals import RefusalError
from sandbox.service import Sandbox
from sandbox.settings import Settings

__all__ = ["Connection", "Fault", "LoggedCall", "RefusalError", "Sandbox", "SentCallback", "Settings", "Status"]
