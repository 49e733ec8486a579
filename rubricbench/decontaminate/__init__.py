"""Does a text of a dataset stand in another one, word for word or nearly?

    index = Shingles(reference_texts)
    for found in index.overlaps("Some prompt …"):
        print(found.reference, found.run, found.containment)

Exact, not sampled: every run of words is looked up, so what is not reported is not there. Signs: a
shared run of `RUN` words (the usual n-gram test), and *containment*, the share of a text's
`SHINGLE`-word runs that one reference holds (near-duplicates, edited here and there).
"""

from rubricbench.decontaminate.shingles import RUN, SHINGLE, Overlap, Shingles

__all__ = ["RUN", "SHINGLE", "Overlap", "Shingles"]
