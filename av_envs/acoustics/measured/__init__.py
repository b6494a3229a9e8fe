"""Rooms that were measured: recorded impulse responses as a backend."""
