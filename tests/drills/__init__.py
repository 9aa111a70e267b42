"""Long failures of what the service stands on."""
