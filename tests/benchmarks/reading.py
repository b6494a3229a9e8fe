"""Read back what the report wrote."""

import json
from html.parser import HTMLParser


class Page(HTMLParser):
    """The tables (rows of cell texts, headings apart) and the data of a leaderboard page.

    Complains about anything that would be loaded from elsewhere.
    """

    def __init__(self, text):
        super().__init__()
        self.tables, self.data = [], None
        self._cell, self._script = None, None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        facts = dict(attributes)
        assert tag not in ("link", "img", "iframe"), "the page must stand alone"
        assert "src" not in facts, "the page must stand alone"
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self._row = []
        elif tag == "td":
            self._cell = ""
        elif tag == "script":
            self._script = facts.get("id")

    def handle_data(self, text):
        if self._cell is not None:
            self._cell += text
        if self._script == "data":
            self.data = json.loads(text)

    def handle_endtag(self, tag):
        if tag == "td":
            self._row.append(self._cell.strip())
            self._cell = None
        elif tag == "tr" and self._row:
            self.tables[-1].append(self._row)
        elif tag == "script":
            self._script = None
