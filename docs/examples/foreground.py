"""
Do clusters agree with the object?
==================================

Clothes are brighter than their black background, so a brightness threshold gives their masks. The
agreement of clusters with these masks is compared with that of as many spatial blocks, of k-means
on the pixels, and with chance.
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
