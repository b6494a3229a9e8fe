"""Procedural dwellings: plan, shell, furniture and materials from a seed."""
