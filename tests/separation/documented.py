"""Tables in the docstrings of environments."""


def rows_of(page: str, heading: str) -> list[list[str]]:
    """Cells of the rows of the first table below a heading, without its head.

    A row whose first cell is empty continues the one above it.
    """
    section = page.split(f"## {heading}\n")[1].split("## ")[0]
    lines = [line.strip() for line in section.splitlines() if line.strip().startswith("|")]
    rows: list[list[str]] = []
    for line in lines[2:]:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0]:
            rows.append(cells)
        else:
            rows[-1] = [f"{a} {b}".strip() for a, b in zip(rows[-1], cells, strict=True)]
    return rows
