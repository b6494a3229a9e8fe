"""Energy path tracing: rays, image sources and edges of a scene."""
