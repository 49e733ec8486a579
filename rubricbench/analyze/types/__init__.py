"""What refinement changes in rubrics, and what rubrics ask for: types found by clustering.

The paper's two analyses (arXiv 2509.21500, section 5.3 and appendix): the atomic differences
between initial and refined rubrics, clustered into refinement types whose share among *great* pairs
is set against that among *good* pairs (Table 3), and the capability each criterion targets,
clustered into capability types (Figure 5).
"""
