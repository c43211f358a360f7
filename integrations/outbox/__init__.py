"""The outbox: every write to Altegio is a row in it first. It knows no feature."""
