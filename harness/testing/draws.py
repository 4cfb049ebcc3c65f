"""What controls and perturbations keep to."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from harness.engine import checks
from harness.errors import HarnessError, InvalidResultError, reason_of
from harness.metrics.modularity import modularity
from harness.plugin.draws import ImageControl, MapControl, Perturbation
from harness.plugin.patches import Patches
from harness.plugin.values import AttentionMap, Image
from harness.testing.inputs import plain_image, planted_map
from harness.testing.law import BrokenLawError, law, require, require_line, seconds_since

SEED = "take all random numbers from numpy.random.default_rng(seed)"
MapDraw = MapControl | Perturbation


def drawn_image(control: ImageControl, image: Image, seed: int = 0) -> Image:
    """The valid draw from an image; raises InvalidResultError for others."""
    if control.needs_patches:
        image = replace(image, patches=Patches.on(image.pixels.shape[:2], (4, 6), None))
    found = checks.kind_of(control.draw(image, seed=seed), Image, f"{control.name}: draw()")
    is_same = found.pixels.shape == image.pixels.shape
    require(is_same, f"an image of {image.pixels.shape} gives a draw of {found.pixels.shape}")
    return found


def drawn_map(control: MapDraw, attention: AttentionMap, seed: int = 0) -> AttentionMap:
    """The valid draw from a map; raises InvalidResultError for others."""
    return checks.drawn(control.draw(attention, seed=seed), attention, control.name)


@contextmanager
def refused_in_one_line(what: str) -> Iterator[None]:
    """A context in which a component may raise HarnessError, and nothing else."""
    try:
        yield
    except InvalidResultError:
        raise
    except HarnessError:
        return
    except Exception as error:
        raise BrokenLawError(f"{what} fails: {reason_of(error)}") from error


@law(
    ImageControl,
    advice="return an image of the shape of image.pixels, as in "
    "dataclasses.replace(image, pixels=…)",
)
def a_draw_has_the_shape_of_the_image(control: ImageControl) -> None:
    drawn_image(control, plain_image("a"))
    drawn_image(control, plain_image("b", channels=3))


@law(ImageControl, advice=SEED)
def the_same_seed_draws_the_same_image(control: ImageControl) -> None:
    first, second = (drawn_image(control, plain_image(), 7) for _ in range(2))
    require(first.digest == second.digest, "two draws with one seed differ")


@law(ImageControl, advice=SEED)
def other_seeds_draw_other_images(control: ImageControl) -> None:
    digests = {drawn_image(control, plain_image(), seed).digest for seed in range(3)}
    require(len(digests) == 3, f"three seeds give {len(digests)} different draws")


@law(ImageControl, advice="copy the pixels before you change them")
def the_image_is_not_changed(control: ImageControl) -> None:
    image = plain_image()
    before = image.pixels.copy()
    drawn_image(control, image)
    require(np.array_equal(image.pixels, before), "draw() changed the pixels of its image")


@law(ImageControl, advice="expect images without contrast; raise HarnessError to refuse one")
def an_image_of_one_colour_is_drawn_or_refused(control: ImageControl) -> None:
    image = replace(plain_image(channels=3), pixels=np.full((24, 36, 3), 255, dtype=np.uint8))
    with refused_in_one_line("an image of one colour"):
        drawn_image(control, image)


@law(ImageControl, advice="move every part of the image, so that its structure is lost")
def draws_do_not_show_what_was_where(control: ImageControl) -> None:
    image = plain_image()
    mean = np.mean([drawn_image(control, image, seed).pixels for seed in range(20)], axis=0)
    if mean.std() > 0:
        likeness = np.corrcoef(mean.ravel(), image.pixels.ravel())[0, 1]
        require(likeness < 0.8, f"the mean of 20 draws is correlated {likeness:.2f} with the image")


@law(
    MapControl,
    Perturbation,
    advice="return a map of as many patches, as in dataclasses.replace(attention, weights=…)",
)
def a_draw_has_the_size_of_the_map(control: MapDraw) -> None:
    drawn_map(control, planted_map())


@law(MapControl, Perturbation, advice=SEED)
def the_same_seed_draws_the_same_map(control: MapDraw) -> None:
    first, second = (drawn_map(control, planted_map(), 7) for _ in range(2))
    require(first.digest == second.digest, "two draws with one seed differ")


@law(MapControl, advice=SEED)
def other_seeds_draw_other_maps(control: MapControl) -> None:
    digests = {drawn_map(control, planted_map(), seed).digest for seed in range(3)}
    require(len(digests) == 3, f"three seeds give {len(digests)} different draws")


@law(MapControl, Perturbation, advice="copy the weights before you change them")
def the_map_drawn_from_is_not_changed(control: MapDraw) -> None:
    attention = planted_map()
    drawn_map(control, attention)
    require(attention.digest == planted_map().digest, "draw() changed the weights of its map")


@law(MapControl, Perturbation, advice="compare weights with each other, not with absolute numbers")
def a_multiple_of_a_map_gives_the_multiple_of_its_draw(control: MapDraw) -> None:
    attention = planted_map()
    expected = drawn_map(control, attention, 1).weights
    for factor in (1e-200, 1e200):
        multiple = replace(attention, weights=attention.weights * factor)
        found = drawn_map(control, multiple, 1).weights / factor
        is_same = np.allclose(found, expected, rtol=1e-6, atol=0)
        require(is_same, f"the draw from the map times {factor:g} is another one")


@law(
    MapControl,
    Perturbation,
    advice="expect maps without weights, and of few patches; raise HarnessError to refuse one",
)
def small_and_regular_maps_are_drawn_or_refused(control: MapDraw) -> None:
    for n in (1, 2, 9):
        for kind, weight in (("equal weights", 1 / n), ("no weights", 0.0)):
            attention = AttentionMap(np.full((n, n), weight), grid=(1, n))
            with refused_in_one_line(f"a map of {n} patches with {kind}"):
                drawn_map(control, attention)


@law(MapControl, advice="exchange enough weights that communities are lost")
def draws_lose_planted_communities(control: MapControl) -> None:
    attention = planted_map((7, 7))
    assert attention.truth is not None
    before = modularity(attention, attention.truth)
    draws = (drawn_map(control, attention, seed) for seed in range(20))
    left = np.mean([modularity(drawn, attention.truth) for drawn in draws])
    require(left < before / 2, f"20 draws keep {left / before:.0%} of the communities' modularity")


@law(Perturbation, advice="change the weights less: real clusters should survive it")
def draws_resemble_the_map(perturbation: Perturbation) -> None:
    attention = planted_map()
    drawn = drawn_map(perturbation, attention).weights
    likeness = np.corrcoef(drawn.ravel(), attention.weights.ravel())[0, 1]
    require(likeness > 0.5, f"a draw is correlated {likeness:.2f} with the map")


@law(MapControl, advice='return one line of text, or ""')
def its_caveat_is_a_line(control: MapControl) -> None:
    require_line(control.caveat(), "caveat()")


@law(MapControl, Perturbation, advice="profile it: a run draws from every map dozens of times")
def ten_maps_of_196_patches_are_drawn(control: MapDraw) -> str:
    attention = planted_map((14, 14))
    started = time.perf_counter()
    for seed in range(10):
        drawn_map(control, attention, seed)
    return seconds_since(started)
