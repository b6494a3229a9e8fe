"""Commands that draw what a team does, knows and predicts; each writes a PNG file."""
