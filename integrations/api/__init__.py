"""The REST API of the marketplace (INTERFACE.md): thin views over the features' functions."""
