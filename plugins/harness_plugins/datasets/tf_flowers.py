"""TensorFlow's flower photos, extracted: one folder per class, without an official split."""

CLASSES = ("daisy", "dandelion", "roses", "sunflowers", "tulips")
COUNTS = (633, 898, 641, 699, 799)
