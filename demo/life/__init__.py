"""Half a year in the life of a partner's marketplace, so that `make run` has something to look at.

All of it comes through the front door: the sandbox's owners press Connect, Altegio sends its callbacks and messages,
the partner's systems call the REST API, staff write notes. Only time does not run backwards: `past.py` says how the
moments that the portal wrote are moved to when it would have happened.
"""
