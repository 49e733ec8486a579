"""Charts as data: drawn into a page, written as SVG, PNG and CSV, from the same `Figure`."""

from rubricbench.figures.figure import Axis, Figure, Mark, Series

__all__ = ["Axis", "Figure", "Mark", "Series"]
