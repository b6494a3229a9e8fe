"""Heuristics of the separation task."""
