"""Learned active separation: separators, memories, policies and their training."""
