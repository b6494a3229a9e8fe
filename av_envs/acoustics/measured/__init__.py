"""Measured rooms: recorded impulse responses as an acoustic backend."""
