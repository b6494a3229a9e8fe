"""A learned choice of where to go next, on the map that the robots draw."""
