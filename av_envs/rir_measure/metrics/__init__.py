"""Prediction errors and exploration metrics. Pure functions."""
