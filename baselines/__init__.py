"""What does not learn: heuristics for every task."""
