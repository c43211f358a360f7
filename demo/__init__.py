"""The demonstration that `make run` starts; production does not need it."""
