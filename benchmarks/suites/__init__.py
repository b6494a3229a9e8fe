"""Published suites: what is played, with which seeds."""
