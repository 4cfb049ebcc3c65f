"""
Which heads cluster?
====================

The heads of a one-layer model with twelve heads, each compared with noise.
"""

import harness

run = harness.run(
    images="fashion-mnist-sample[count=4]",
    extractors="one-layer-vit[checkpoint=fashion-mnist-twelve-heads]",
    clusterers="louvain",
    controls="uniform-noise",
    perturbations="none",
    levels=12,
    progress=False,
)
run.layers(progress=False).plot("heads-louvain")

# %%
# One row for each head, the largest effect first:

run.head_rows(progress=False)
