"""The charts of the reports, one kind per file.

Colour is never the only sign: every responder has a marker shape of its own, and every chart
stands in, or beside, a table with its numbers.
"""
