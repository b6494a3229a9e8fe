"""Readers of mesh formats. Each returns `Surfaces` or raises a ValueError with the reason.

Unsupported features that change the surfaces are refused by name; other content, such as
lines or cameras, is left out with a note.
"""
