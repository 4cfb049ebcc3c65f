"""CINIC-10 (Darlow, Crowley, Antoniou & Storkey 2018, arXiv 1810.03505), extracted.

270,000 colour images of 32×32 in CIFAR-10's classes: 60,000 are CIFAR-10's own, spread over all
three splits (files named cifar10-…), the others are downsampled from ImageNet. A model trained on
CIFAR-10 has therefore seen images of CINIC-10's test split, and vice versa.
"""

from harness import Split
from harness_plugins.datasets import cifar10

CLASSES = cifar10.CLASSES
FOLDERS: dict[Split, str] = {"train": "train", "validation": "valid", "test": "test"}
# In each split.
PER_CLASS = 9_000
