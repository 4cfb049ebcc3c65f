"""
Noise has clusters, too
=======================

If enough edges are pruned, even the map of a noise image reaches any modularity. What counts is how
much more the images reach at the same density: their effect.
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
# The same as a figure: the effect on each image set, with its interval over images.

run.leaderboard().plot()
