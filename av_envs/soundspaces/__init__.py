"""SoundSpaces 1.0: its files read without its software, and worlds made of them."""
