"""Dwellings that can be seen, heard and walked, and the backends that provide them."""
