"""A learned predictor of impulse responses: attention over all that was measured."""
