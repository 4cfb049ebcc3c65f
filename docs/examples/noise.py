"""
Noise has clusters, too
=======================

Pruned hard enough, a map of noise reaches any modularity. The clusters of images mean something
only beyond what noise reaches at the same density: their effect.
"""

import harness

run = harness.run(
    images="fashion-mnist-sample[count=6],noise[count=6]",
    extractors="one-layer-vit[checkpoint=fashion-mnist-one-head]",
    clusterers="louvain",
    perturbations="none",
    levels=16,
    progress=False,
)
run.leaderboard()

# %%
# The same as a figure: the effect of each with its interval over images.

run.leaderboard().plot()
