"""What learns (torch): networks, policies, trainers, adapters."""
