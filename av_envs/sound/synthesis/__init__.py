"""The embedded corpus: voices, music and ambience made from formulas."""
