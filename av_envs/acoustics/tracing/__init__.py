"""Energy path tracing: rays, image sources and edge diffraction."""
