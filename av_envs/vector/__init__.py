"""What all vector environments share: seeds, autoreset, infos and the way to their copies."""
