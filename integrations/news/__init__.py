"""What owners are told about their connections."""
