"""What is computed once: rows on disk shared by processes, and compiled kernels."""
