"""The base classes of what draws an image or a map at random from another.

The examples assume `import harness`, `import numpy as np` and
`from dataclasses import dataclass, replace`.
"""

from abc import abstractmethod
from typing import ClassVar

from harness.plugin import conversion
from harness.plugin.component import Component
from harness.plugin.values import AttentionMap, Image


class ImageControl(Component):
    """A null model of images: draws a random image without the structure of a given one.

    Attributes
    ----------
    needs_patches : bool
        Class variable. If True, `draw` gets images with `patches`, where the extractor knows them.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Noise(harness.ImageControl):
    ...     name = "noise"
    ...     def draw(self, image, *, seed):
    ...         random = np.random.default_rng(seed)
    ...         pixels = random.integers(0, 256, image.pixels.shape, dtype=np.uint8)
    ...         return replace(image, pixels=pixels)
    >>> Noise().draw(np.zeros((2, 2), dtype=np.uint8), seed=0).pixels.shape
    (2, 2, 1)
    """

    kind = "control"
    needs_patches: ClassVar[bool] = False
    _converted: ClassVar[conversion.Conversions] = {"draw": conversion.as_image}

    @abstractmethod
    def draw(self, image: Image, *, seed: int) -> Image:
        """Return a random image.

        Parameters
        ----------
        image
            The observed image; it must not be changed.
        seed
            Seed of all randomness, 0 ≤ seed < 2³¹: the same image and seed give the same draw. In
            calls by hand, the default is 0.

        Returns
        -------
        Image
            With pixels of the same shape, such as `dataclasses.replace(image, pixels=…)`. The
            harness uses only the pixels; it keeps key, label and patches, and sets the variant.

        Raises
        ------
        HarnessError
            If no image can be drawn from this one, with the reason.
        """


class MapControl(Component):
    """A null model of maps: draws a random map without the structure of a given one.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Shuffled(harness.MapControl):
    ...     name = "shuffled"
    ...     def draw(self, attention, *, seed):
    ...         weights = attention.weights.copy()
    ...         np.random.default_rng(seed).shuffle(weights.reshape(-1))
    ...         return replace(attention, weights=weights)
    >>> Shuffled().draw(np.eye(3), seed=0).weights.sum()
    np.float64(3.0)
    """

    kind = "control"
    _converted: ClassVar[conversion.Conversions] = {"draw": conversion.as_attention}

    @abstractmethod
    def draw(self, attention: AttentionMap, *, seed: int) -> AttentionMap:
        """Return a random map.

        Parameters
        ----------
        attention
            The observed map; it must not be changed.
        seed
            Seed of all randomness, 0 ≤ seed < 2³¹: the same map and seed give the same draw. In
            calls by hand, the default is 0.

        Returns
        -------
        AttentionMap
            With weights (n, n), n as before, finite and not negative, such as
            `dataclasses.replace(attention, weights=…)`. The harness uses only the weights; it keeps
            the rest, and sets the variant.

        Raises
        ------
        HarnessError
            If no map can be drawn from this one, with the reason.
        """

    def caveat(self) -> str:
        """Return why a small p may not be evidence, or ""; tables show it below the p values."""
        return ""


class Perturbation(Component):
    """Changes an attention map a little; real clusters should survive it.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Jitter(harness.Perturbation):
    ...     name = "jitter"
    ...     scale: float = 0.01
    ...     def draw(self, attention, *, seed):
    ...         noise = np.random.default_rng(seed).normal(1, self.scale, attention.weights.shape)
    ...         return replace(attention, weights=attention.weights * abs(noise))
    >>> Jitter().draw(np.eye(3), seed=0).n
    3
    """

    kind = "perturbation"
    _converted: ClassVar[conversion.Conversions] = {"draw": conversion.as_attention}

    @abstractmethod
    def draw(self, attention: AttentionMap, *, seed: int) -> AttentionMap:
        """Return the map, changed a little at random.

        Parameters
        ----------
        attention
            The observed map; it must not be changed.
        seed
            Seed of all randomness, 0 ≤ seed < 2³¹: the same map and seed give the same draw. In
            calls by hand, the default is 0.

        Returns
        -------
        AttentionMap
            With weights (n, n), n as before, finite and not negative, such as
            `dataclasses.replace(attention, weights=…)`. The harness uses only the weights; it keeps
            the rest, and sets the variant.

        Raises
        ------
        HarnessError
            If the map cannot be changed, with the reason.
        """
