"""Learning agents (torch): networks, policies, trainers, adapters."""
