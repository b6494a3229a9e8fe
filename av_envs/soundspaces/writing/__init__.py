"""Writes scenes as a SoundSpaces 1.0 tree, for software that reads nothing else."""
