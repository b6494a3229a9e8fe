"""Caches on disk: files of fixed-size rows shared by processes, and compiled kernels."""
