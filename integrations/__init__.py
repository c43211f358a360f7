"""The marketplace: arrivals, connections, and everything that is said to Altegio."""
