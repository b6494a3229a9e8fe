"""World backends: sets of dwellings with acoustics, views and a navigation graph."""
