"""Suites, runner, leaderboard, speed. Agents arrive as import strings."""
