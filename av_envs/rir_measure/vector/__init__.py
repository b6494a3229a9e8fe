"""Many teams at once, for Gymnasium and for PettingZoo."""
