"""The REST API of billing (INTERFACE.md): thin views over the rules."""
