"""Reward over-optimization of one's own reward: tables in, one document of results out.

read (metrics.reading) -> analyse (curve, bon, compare) -> Document -> results.json, page, files
"""
