"""The four moves of the separation task, and which of them leads where."""

FORWARD, LEFT, RIGHT, STAY = range(4)
TOWARDS = (FORWARD, LEFT, RIGHT, RIGHT)  # what is ahead, on the left, behind, on the right


def first_move(quarters: int) -> int:
    """The move that begins a walk to what lies `quarters` counter-clockwise quarter turns away."""
    if quarters not in range(4):
        raise ValueError(f"a relative heading is 0, 1, 2 or 3 quarter turns, got {quarters}")
    return TOWARDS[quarters]


def turn_to(quarters: int) -> int:
    """The turn that begins to face `quarters`; to stay if that is ahead already."""
    return STAY if quarters == 0 else first_move(quarters)
