"""The search of the connections' page: whatever a caller knows leads to their case, or to the nearest matches."""
