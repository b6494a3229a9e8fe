"""Learned teams that measure: MACMA, MACMARA, their generator and their training."""
