"""
Do clusters follow the object?
==============================

Clothes are brighter than their black background, so brightness says where they are. The agreement
of the clusters with them is compared with as many spatial blocks, with k-means on the pixels, and
with chance.
"""

import harness
from harness.command import BrightnessThreshold

run = harness.run(
    images="fashion-mnist-sample[count=6]",
    clusterers="louvain,infomap",
    selectors="max-modularity",
    perturbations="none",
    controls="uniform-noise",
    levels=12,
    progress=False,
)
agreement = run.foreground(BrightnessThreshold(0))
agreement

# %%
# Adjusted mutual information, by method:

agreement.plot("ami")
