"""Charts as data: drawn into a page, written as SVG, PNG and CSV, from the same `Figure`.

`rubricbench.figures.inline.inline` draws one into a page; `rubricbench.figures.export.export`
writes its files.
"""

from rubricbench.figures.figure import Axis, Figure, Mark, Series

__all__ = ["Axis", "Figure", "Mark", "Series"]
