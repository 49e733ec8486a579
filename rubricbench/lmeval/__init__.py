"""What the lm-eval tasks stand on: grading all responses at once, the audit trail, stored models.

lm-eval is an extra (``rubricbench[eval]``). `audit` and `generation` need only the core; the other
modules import lm_eval when they are imported.
"""
