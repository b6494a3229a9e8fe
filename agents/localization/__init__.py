"""Learned localisation of sound: directions of arrival and activity of up to N sources."""
