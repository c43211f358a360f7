"""Half a year in the life of a partner's marketplace, so that `make run` has something to show.

All of it enters as in production: the sandbox's owners press Connect, Altegio sends its callbacks and messages, the
partner's systems call the REST API, staff write notes. Only time cannot run backwards: `past.py` says how the moments
that the portal wrote are moved to when they would have happened.
"""
