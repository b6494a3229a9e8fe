"""Heuristics that do not learn, for every task."""
