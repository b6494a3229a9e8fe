"""Pictures of measuring episodes."""
