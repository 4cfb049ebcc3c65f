"""
Three methods on a sunflower
============================

The attention of a one-layer Vision Transformer on the thesis' photo, and what Louvain, Infomap and
the SDP find in it at the level where each has the largest modularity. The photo is by emerson12,
CC BY 2.0.
"""

import harness

SUNFLOWER = "sunflowers/1022552002_2b93faf9e7_n.jpg"

run = harness.run(
    images="flowers-sample[count=5]",
    clusterers="louvain,infomap,sdp",
    selectors="max-modularity",
    perturbations="none",
    levels=16,
    progress=False,
)
report = run.image_report(SUNFLOWER)
report.plot("side-by-side")

# %%
# The clusters look like sky, petals and leaves. But p says how often uniform noise reaches as much
# modularity at a level that is chosen in the same way:

report.to_frame()[
    ["clusterer", "level", "n_clusters", "modularity", "control_modularity", "p_value"]
]
