"""How the reproduction differs from the thesis, and why."""

DEVIATIONS = (
    "Data: the images named above, by default 100 test images of Fashion-MNIST, which come with "
    "the harness; the thesis shows images of TF flowers.",
    "Thresholds are chosen by `stable-phase`, the thesis' rule made exact; the thesis looked at "
    "the curves. Images are chosen by rule, too: the first of each class.",
    "The threshold takes 20 values from 0 to 4/n, where n is the number of patches.",
    "Louvain is networkx' on the directed graph, as in the thesis; the random start is seeded. "
    "Infomap runs once, in two levels.",
    "SDP: spins are solved to a certified gap of 1e-4, each connected component on its own, "
    "without isolated patches. HDBSCAN is scikit-learn's, its smallest cluster 5 patches.",
    "Modularity is directed and weighted, on the pruned graph with its self-loops; unassigned "
    "patches count as clusters of one patch, so that leaving patches out gains nothing.",
    "The model: the thesis describes its second model with an MLP in one section and without in "
    "another. Here it has one; accuracies without it are given where such models were trained.",
    "Training: AdamW for ten epochs unless the table says sgd; the thesis used SGD for 512 epochs.",
    "Zeroed outputs are rows of the block's output, which the classifier reads. Clusters are named "
    "by salience, the attention they get from outside, not as background in hindsight.",
)
