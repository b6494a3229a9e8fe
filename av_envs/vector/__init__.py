"""What all vector environments share: autoreset, seeds, infos, threads."""
