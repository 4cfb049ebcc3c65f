"""TensorFlow's flower photos, extracted: one folder a class, and no split of their own."""

CLASSES = ("daisy", "dandelion", "roses", "sunflowers", "tulips")
COUNTS = (633, 898, 641, 699, 799)
