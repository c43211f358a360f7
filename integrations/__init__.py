"""The marketplace: arrivals, connections, and everything that is sent to Altegio."""
