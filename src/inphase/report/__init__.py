"""Figures of a study, and the page that shows them.

`figures` draws (one function per figure, each returns a `matplotlib.figure.Figure`), `branches` lays out the
merger tree, `page` writes the HTML. Nothing here computes a result: what is drawn comes from the study.
"""

from inphase.report.page import page

__all__ = ["page"]
