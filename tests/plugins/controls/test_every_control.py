from collections.abc import Callable

import numpy as np
import pytest
from scipy.spatial.distance import cdist

import harness

OF_IMAGES = (
    "uniform-noise",
    "gaussian-noise",
    "shuffled-pixels",
    "shuffled-patches[size=2]",
    "scrambled-phase",
)
OF_MAPS = ("permuted-residuals", "permuted-rows", "preserved-strengths", "preserved-distances")


@pytest.fixture
def attention() -> harness.AttentionMap:
    weights = np.random.default_rng(0).dirichlet(np.ones(30), size=30)
    weights[3, :20] = 0
    return harness.AttentionMap(weights, image="a", grid=(5, 6))


@pytest.fixture(params=[1, 3])
def image(request: pytest.FixtureRequest) -> harness.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, request.param), dtype=np.uint8)
    return harness.Image("a", pixels, label=3)


@pytest.mark.parametrize("spec", OF_IMAGES)
def test_an_image_keeps_its_size_channels_and_key(spec: str, image: harness.Image) -> None:
    before = image.pixels.copy()

    drawn = harness.make("control", spec).draw(image, seed=5)

    assert drawn.pixels.shape == image.pixels.shape
    assert (drawn.key, drawn.label) == ("a", 3)
    assert np.array_equal(image.pixels, before)


@pytest.mark.parametrize("name", OF_MAPS)
def test_a_drawn_map_keeps_diagonal_image_and_grid_and_the_original_is_unchanged(
    name: str, attention: harness.AttentionMap
) -> None:
    before = attention.weights.copy()

    drawn = harness.make("control", name).draw(attention, seed=5)

    assert np.array_equal(drawn.weights.diagonal(), before.diagonal())
    assert (drawn.image, drawn.grid) == ("a", (5, 6))
    assert np.array_equal(attention.weights, before)


@pytest.mark.parametrize("name", OF_MAPS)
@pytest.mark.parametrize("factor", [1e-300, 1e-200, 1e200, 1e300])
def test_a_multiple_of_a_map_gives_the_multiple_of_the_draw(
    name: str, factor: float, attention: harness.AttentionMap
) -> None:
    control = harness.make("control", name)

    drawn = control.draw(harness.AttentionMap(attention.weights * factor, grid=(5, 6)), seed=1)

    expected = control.draw(attention, seed=1).weights
    assert drawn.weights / factor == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("name", OF_MAPS)
def test_a_map_keeps_its_type(name: str, attention: harness.AttentionMap) -> None:
    single = harness.AttentionMap(attention.weights.astype(np.float32), grid=(5, 6))

    assert harness.make("control", name).draw(single, seed=0).weights.dtype == np.float32


@pytest.mark.parametrize("name", OF_MAPS)
@pytest.mark.parametrize("n", [1, 2])
def test_a_map_in_which_nothing_can_be_exchanged_stays_as_it_is(name: str, n: int) -> None:
    weights = np.random.default_rng(n).random((n, n))
    if name == "preserved-distances" and n == 2:
        weights[1, 0] = weights[0, 1]

    drawn = harness.make("control", name).draw(harness.AttentionMap(weights, grid=(1, n)), seed=0)

    assert drawn.weights == pytest.approx(weights, rel=1e-12)


@pytest.mark.parametrize("name", OF_MAPS)
def test_a_map_of_zeros_stays_one(name: str) -> None:
    attention = harness.AttentionMap(np.zeros((6, 6)), grid=(2, 3))

    assert not harness.make("control", name).draw(attention, seed=0).weights.any()


@pytest.mark.parametrize("name", OF_MAPS)
def test_planted_communities_are_destroyed(name: str) -> None:
    random = np.random.default_rng(0)
    parity = random.permutation(np.arange(49) % 2)
    weights = random.uniform(0.1, 0.2, (49, 49)) + (parity[:, None] == parity)
    attention = harness.AttentionMap(weights, grid=(7, 7))
    control = harness.make("control", name)

    assert harness.modularity(weights, parity) > 0.25
    for seed in range(20):
        drawn = control.draw(attention, seed=seed).weights
        assert abs(harness.modularity(drawn, parity)) < 0.1


@pytest.mark.parametrize(
    "spec",
    [
        *OF_MAPS,
        "permuted-residuals[effects=[rows,columns]]",
        "permuted-residuals[effects=[distance]]",
        "permuted-residuals[effects=[rows]]",
    ],
)
def test_a_caveat_names_what_the_draws_lose(spec: str) -> None:
    noise = harness.make("extractor", "planted[n=100,signal=0,spread=1,locality=0.45]")
    attention, control = noise.load("planted-000"), harness.make("control", spec)
    drawn = control.draw(attention, seed=0).weights
    places = np.argwhere(np.ones((10, 10)))
    distances = cdist(places, places)

    def correlated(figure: Callable[[harness.Floats], harness.Floats]) -> bool:
        return bool(np.corrcoef(figure(attention.weights), figure(drawn))[0, 1] > 0.8)

    kept = {
        "hubs": correlated(lambda weights: np.log(weights).mean(axis=0)),
        "locality": correlated(
            lambda weights: np.array([np.log(weights[distances == d]).mean() for d in range(1, 8)])
        ),
    }

    assert {name: name not in control.caveat() for name in kept} == kept
