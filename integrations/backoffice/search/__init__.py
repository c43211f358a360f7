"""Search from the connections: whatever a caller can say leads to their case, or to what comes nearest."""
