"""Networks of MACMA: encoders of what robots observe, the team's policy, the generator."""
