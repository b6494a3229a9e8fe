"""Agents play episodes, in processes of their own."""
