"""SoundSpaces 1.0 trees: scenes, responses, views, episodes."""
