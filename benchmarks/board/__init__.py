"""Leaderboards: statistics, tables, the page."""
