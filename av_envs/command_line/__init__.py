"""The command `av-envs`: everything that can be done without writing Python."""
