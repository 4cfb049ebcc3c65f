"""
Known communities
=================

Planted maps have known communities, from none (signal 0) to clear ones. The adjusted Rand index
(ARI) shows which method finds them: 1 if the clusters are the communities, 0 by chance.
"""

import harness

run = harness.run(
    extractors="planted[signal=[0,0.7,1.5],n=100,count=4]",
    clusterers="louvain,infomap,kmeans",
    perturbations="none",
    levels=16,
    progress=False,
)
frame = run.leaderboard().to_frame()
frame[["clusterer", "extractor", "modularity", "effect", "ari"]]

# %%
# On one map with clear communities, the clusters of each method beside the truth:

clear = {"extractor": "planted[count=4,n=100,signal=1.5]"}
run.image_report("planted-000", filters=clear).plot("side-by-side")
