"""What taking attention maps costs beside a plain forward pass, and whether memory stays flat.

    OMP_NUM_THREADS=1 python benchmarks/extraction_cost.py MODEL [--images N] [--size S]
    OMP_NUM_THREADS=1 python benchmarks/extraction_cost.py MODEL --device cuda --batch 8

MODEL is a folder with a Vision Transformer that the extractor `hf` takes; the images are photos
that scikit-learn and scikit-image bring, turned so that each is another, or those of a folder
(--photos). Printed are

- extract() over all layers and heads, beside a loop of eager forward passes that give the same
  attention (output_attentions) of images that are prepared already: both in turn, round by round,
  on one thread, in seconds of the processor; the ratio is of the medians. Of a round's seconds the
  parts: preparing images, passes with hooks, checks, making maps. The loop has no preparation, so
  the ratio without it is printed too.
- extract() of similarities of features over all layers, beside extract() of attention, likewise,
  and the time before the first image, in which the model is loaded and tried.
- eager passes of 1, 4 and 8 images together, a second an image: whether batches gain anything.
- peak resident memory of extract() over 10 and over 100 images, each in a process of its own.

With --device, --dtype or --batch, extract() of all layers and heads is instead compared with the
same on the CPU, in single precision, one image at a time: images a second of both, in turn, without
the time before the first image, by the clock (on the CPU, by seconds of the processor); the largest
difference of their maps; and the peak of the device's memory.
"""

import argparse
import itertools
import resource
import statistics
import subprocess
import sys
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from torch import Tensor

import harness
from harness_plugins.extractors.devices import CPU, SINGLE, Dtype
from harness_plugins.extractors.pretrained import attention, configuration, hf, model, source
from harness_plugins.extractors.pretrained.extraction import Of
from harness_plugins.extractors.pretrained.preparation import Preparation, preparation_of

BATCHES = (1, 4, 8)
COUNTS = (10, 100)


def photos() -> Iterator[harness.Image]:
    """Photos, each in four positions, then the same again."""
    import skimage.data
    from sklearn.datasets import load_sample_images

    loaded = [*load_sample_images().images, skimage.data.astronaut(), skimage.data.coffee()]
    turned = [np.rot90(photo, turn).copy() for turn in range(4) for photo in loaded]
    for number, pixels in enumerate(itertools.cycle(turned)):
        yield harness.Image(f"photo {number}", pixels)


def photos_in(folder: Path) -> Iterator[harness.Image]:
    """The photos of a folder, in the order of their names, then the same again."""
    images = harness.make("image set", f"folder[path={folder}]")
    yield from map(images.load, itertools.cycle(images.keys()))


def extractor_of(folder: str, size: int | None) -> hf.HuggingFace:
    """The extractor of all layers and heads, of images as prescribed or of a shorter side."""
    return hf.HuggingFace(folder, layers=("all",), size=None if size is None else (size,))


def compare(
    reference: hf.HuggingFace, asked: hf.HuggingFace, images: list[harness.Image], rounds: int
) -> None:
    """Print what extraction as asked costs beside the reference, and how far their maps differ."""
    on_device = asked.device != CPU
    clock = time.perf_counter if on_device else time.process_time

    def seconds(extractor: hf.HuggingFace) -> float:
        stamps: list[float] = []
        # A first batch, in which the model is loaded and the device gets ready.
        warming = images[:1] * extractor.batch
        deque(extractor.extract(clocked([*warming, *images], stamps, clock)), maxlen=0)
        return clock() - stamps[extractor.batch]

    differences = [
        float(np.abs(one.weights - other.weights).max())
        for one, other in zip(reference.extract(images), asked.extract(images), strict=True)
    ]
    if on_device:
        torch.cuda.reset_peak_memory_stats(asked.device)
    taken = [(seconds(reference), seconds(asked)) for _ in range(rounds)]
    usual, here = (len(images) / statistics.median(column) for column in zip(*taken, strict=True))
    ratio = statistics.median(one / other for one, other in taken)
    print(f"{len(images)} images, {rounds} rounds; all layers and heads")
    print(f"cpu, float32, batch 1: {usual:.2f} images a second")
    print(
        f"{asked.device}, {asked.dtype}, batch {asked.batch}: {here:.2f}, {ratio:.2f} times as many"
    )
    print(f"largest difference of a weight: {max(differences):.2g}", end="; ")
    print(f"of the median map: {statistics.median(differences):.2g}")
    if on_device:
        peak_memory = torch.cuda.max_memory_allocated(asked.device)
        print(f"{torch.cuda.get_device_name(asked.device)}: peak {peak_memory / 2**20:.0f} MiB")


class Parts:
    """Seconds spent in functions that are watched, by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, its time counted under a name."""

        def call(*arguments: Any, **named: Any) -> Any:
            started = time.process_time()
            try:
                return function(*arguments, **named)
            finally:
                self.seconds[name] += time.process_time() - started

        return call

    def watch(self) -> None:
        """Count preparation, passes, checks and the making of maps from now on."""
        for place, name, part in (
            (Preparation, "__call__", "preparation"),
            (model.VisionTransformer, "__call__", "passes with hooks"),
            (attention, "check_attention", "checks"),
            (attention, "patches_only", "rows rescaled"),
            (harness.AttentionMap, "__post_init__", "maps validated"),
        ):
            setattr(place, name, self.timed(part, getattr(place, name)))


def seconds_of(function: Callable[[], object]) -> float:
    """How long a call takes."""
    started = time.process_time()
    function()
    return time.process_time() - started


def plain(module: torch.nn.Module, prepared: list[Tensor]) -> None:
    """Passes that give the attention of every layer, one by one, which is then dropped."""
    for pixels in prepared:
        with torch.inference_mode():
            module(pixel_values=pixels, output_attentions=True)


def cost(extractor: hf.HuggingFace, count: int, rounds: int) -> None:
    """Print what extract() costs beside plain passes, in parts, and passes of several images."""
    images = list(itertools.islice(photos(), count))
    folder, name = source.weights_folder(extractor.model, None), extractor.model
    config, architecture = configuration.read(folder, name)
    prepare = preparation_of(
        folder, name, architecture.patch, architecture.channels, extractor.size
    )
    module = model.load(folder, name, config, classifier=False).module
    prepared = [prepare(image).pixels for image in images]
    parts = Parts()
    parts.watch()

    # The first map is there when the model is loaded and tried; it is timed from the second image.
    def extract() -> float:
        running = extractor.extract([images[0], *images])
        for _ in range(architecture.layers * architecture.heads):
            next(running)
        parts.seconds.clear()
        return seconds_of(lambda: sum(1 for _ in running))

    loops, extractions, shares = [], [], []
    plain(module, prepared)
    for _ in range(rounds):
        loops.append(seconds_of(lambda: plain(module, prepared)))
        extractions.append(extract())
        shares.append(dict(parts.seconds))
    loop, extraction = statistics.median(loops), statistics.median(extractions)
    print(f"{count} images of {tuple(prepared[0].shape[2:])} pixels, {rounds} rounds")
    print(f"plain passes {loop / count:.4f} s an image, extract() {extraction / count:.4f} s")
    for name in shares[0]:
        print(f"  {name}: {statistics.median(share[name] for share in shares) / count:.4f} s")
    preparation = statistics.median(share["preparation"] for share in shares)
    print(f"ratio {extraction / loop:.2f}, without preparation", end=" ")
    print(f"{(extraction - preparation) / loop:.2f}")
    features(extractor, images, rounds)
    batches(module, prepared, rounds)


def features(extractor: hf.HuggingFace, images: list[harness.Image], rounds: int) -> None:
    """Print what similarities of each kind of features cost, beside attention."""
    taken: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for _ in range(rounds):
        for of in get_args(Of):
            started = time.process_time()
            running = replace(extractor, of=of).extract(clocked(images, stamps := []))
            deque(running, maxlen=0)
            taken[of].append((stamps[0] - started, time.process_time() - stamps[0]))
    usual = statistics.median(seconds for _, seconds in taken["attention"])
    for of, each in taken.items():
        before, seconds = (statistics.median(column) for column in zip(*each, strict=True))
        ratio, each_image = seconds / usual, seconds / len(images)
        print(f"{of}: {each_image:.4f} s an image, ratio {ratio:.2f}, after {before:.2f} s")


def clocked(
    images: list[harness.Image],
    stamps: list[float],
    clock: Callable[[], float] = time.process_time,
) -> Iterator[harness.Image]:
    """Yield images, and note when each is taken."""
    for image in images:
        stamps.append(clock())
        yield image


def batches(module: torch.nn.Module, prepared: list[Tensor], rounds: int) -> None:
    """Print how long passes of several images take, an image."""
    stacks = {size: torch.cat([prepared[0]] * size) for size in BATCHES}
    taken: dict[int, list[float]] = {size: [] for size in BATCHES}
    for _, size in itertools.product(range(rounds), BATCHES):
        taken[size].append(seconds_of(partial(plain, module, [stacks[size]])) / size)
    for size, seconds in taken.items():
        print(f"{size} together: {statistics.median(seconds):.4f} s an image")


def memory(arguments: argparse.Namespace) -> None:
    """Print the peak memory of extract() over few and many images."""
    for count in COUNTS:
        command = [sys.executable, __file__, arguments.model, "--peak", str(count)]
        command += [] if arguments.size is None else ["--size", str(arguments.size)]
        finished = subprocess.run(command, capture_output=True, text=True, check=True)
        print(f"{count} images: peak resident memory {int(finished.stdout) / 2**10:.0f} MiB")


def peak(extractor: hf.HuggingFace, count: int) -> None:
    """Extract and print the process's peak resident memory in KiB."""
    for _ in extractor.extract(itertools.islice(photos(), count)):
        pass
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--images", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, help="the shorter side; images of several aspects")
    parser.add_argument("--photos", type=Path, help="a folder with images, for a comparison")
    parser.add_argument("--device", default=CPU, help="compare with the CPU: cuda, cuda:1, …")
    parser.add_argument("--dtype", choices=get_args(Dtype), default=SINGLE)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--peak", type=int, help="only print the peak of so many images, in KiB")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    extractor = extractor_of(arguments.model, arguments.size)
    asked = {name: getattr(arguments, name) for name in ("device", "dtype", "batch")}
    placed = replace(extractor, **asked)
    if arguments.peak:
        peak(extractor, arguments.peak)
    elif placed != extractor:
        given = photos_in(arguments.photos) if arguments.photos else photos()
        images = list(itertools.islice(given, arguments.images))
        compare(extractor, placed, images, arguments.rounds)
    else:
        cost(extractor, arguments.images, arguments.rounds)
        memory(arguments)


if __name__ == "__main__":
    main()
