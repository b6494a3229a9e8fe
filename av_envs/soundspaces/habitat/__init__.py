"""habitat-sim as a backend."""
