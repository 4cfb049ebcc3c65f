"""
Three methods on a sunflower
============================

Louvain, Infomap and the SDP cluster the attention of a one-layer Vision Transformer on the thesis'
photo. Each is shown at its level of largest modularity. Photo: emerson12, CC BY 2.0.
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
# The clusters look like sky, petals and leaves. p shows how often uniform noise reaches as much
# modularity, at a level chosen in the same way:

report.to_frame()[
    ["clusterer", "level", "n_clusters", "modularity", "control_modularity", "p_value"]
]
