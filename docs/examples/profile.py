"""
Why this level?
===============

The figure shows modularity and the number of clusters at all levels of pruning, for a photo of
tulips and, in grey, for uniform noise. The mark is the level that the selector chose.
"""

import harness

TULIPS = "tulips/14957470_6a8c272a87_m.jpg"

run = harness.run(
    images="flowers-sample[count=5]",
    clusterers="louvain,infomap",
    perturbations="none",
    levels=16,
    progress=False,
)
run.image_report(TULIPS).plot()
