"""
How do clusters affect the model's output?
==========================================

Each cluster is removed from the output of the model's block. The change of the true class's logit
is compared with that of removing as many random and as many contiguous patches.
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
