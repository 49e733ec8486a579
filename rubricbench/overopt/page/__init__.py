"""The page of an over-optimization study: what was found, drawn, in tables and in words.

write_page(document, folder / "report.html", files="figures")
for figure in figures(document):
    export(figure, folder / "figures")
"""

from rubricbench.overopt.page.charts import figures
from rubricbench.overopt.page.page import render_page_of, write_page

__all__ = ["figures", "render_page_of", "write_page"]
