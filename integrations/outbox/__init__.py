"""The outbox: nothing is written to Altegio but what stands in it. It knows no feature."""
