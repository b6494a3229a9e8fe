"""Episodes played by people: `av-envs play`."""
