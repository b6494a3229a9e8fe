"""Environments for agents that see, hear and walk; importing this registers them."""

__version__ = "0.1.0"
