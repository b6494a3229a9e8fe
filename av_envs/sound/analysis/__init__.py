"""Measures of clips and statistics of corpora."""
