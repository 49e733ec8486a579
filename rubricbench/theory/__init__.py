"""What the theory of "Chasing the Tail" predicts: for a misspecification map, and for your reward.

`maps` are the ways a proxy can be wrong, `proposition` is Proposition 1 for any map and any reward
distribution, `theorem` is Theorem 1 in closed form, `figure2` draws the paper's Figure 2, and
`empirical` predicts what optimising a reward does from samples scored by it and by gold.
"""
