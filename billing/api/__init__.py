"""The REST API of billing (docs/interface.md): thin views over the rules."""
