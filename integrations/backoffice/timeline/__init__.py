"""A connection's timeline: everything that happened to it, in one place and in order."""
