"""Readers of mesh formats. Each returns `Surfaces` or raises a ValueError with the reason.

What changes the surfaces and is not honoured is refused by its name; what is no surface, such
as a line or a camera, is left out with a note.
"""
