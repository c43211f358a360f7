"""The REST API of the marketplace (docs/interface.md): thin views over the features' functions."""
