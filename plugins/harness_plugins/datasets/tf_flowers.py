"""TensorFlow's flower photos, extracted: one folder per class, without an official split."""

CLASSES = ("daisy", "dandelion", "roses", "sunflowers", "tulips")
COUNTS = (633, 898, 641, 699, 799)
# The photos that the thesis shows: Sunflower, Tulips, Rose 1 and Rose 2.
THESIS_PICTURES = (
    "sunflowers/1022552002_2b93faf9e7_n.jpg",
    "tulips/14957470_6a8c272a87_m.jpg",
    "roses/6241886381_cc722785af.jpg",
    "roses/16051111039_0f0626a241_n.jpg",
)
# Photos that are in the archive twice, once under another class.
COPIES = {
    "tulips/15922772266_1167a06620.jpg": "roses/15922772266_1167a06620.jpg",
    "sunflowers/15066430311_fb57fa92b0_m.jpg": "sunflowers/14889392928_9742aed45b_m.jpg",
    "sunflowers/15072973261_73e2912ef2_n.jpg": "sunflowers/15069459615_7e0fd61914_n.jpg",
}
