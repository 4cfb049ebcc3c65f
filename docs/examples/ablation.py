"""
What does a cluster do to the answer?
=====================================

Each cluster is removed from the model's output, beside as many random and as many contiguous
patches, and the change of the class's logit is compared.
"""

import harness

run = harness.run(
    images="fashion-mnist-sample[count=6]",
    clusterers="louvain",
    selectors="max-modularity",
    perturbations="none",
    controls="uniform-noise",
    levels=12,
    progress=False,
)
effects = run.ablate("louvain")
effects

# %%
# The same as a figure:

effects.plot()
