import pytest
import torch

from harness_plugins.thesis.vit.augmentation import (
    flipped_and_cropped,
    flipped_and_shifted,
    recoloured,
)


def changed(images: torch.Tensor, pixels: int, seed: int = 0) -> torch.Tensor:
    return flipped_and_shifted(images, pixels, torch.Generator().manual_seed(seed))


def test_every_image_is_one_of_the_shifts_of_itself_or_its_mirror_image() -> None:
    images = torch.randint(1, 256, (40, 3, 5, 4), dtype=torch.uint8)
    found = changed(images, 1)

    for image, after in zip(images, found, strict=True):
        possible = [
            torch.nn.functional.pad(each, (1, 1, 1, 1))[:, row : row + 5, column : column + 4]
            for each in (image, image.flip(2))
            for row in range(3)
            for column in range(3)
        ]
        assert any(torch.equal(after, one) for one in possible)


def test_half_the_images_are_flipped_where_nothing_is_shifted() -> None:
    images = torch.randint(0, 256, (400, 1, 3, 6), dtype=torch.uint8)
    found = changed(images, 0)

    flipped = [
        torch.equal(after, image.flip(2)) for image, after in zip(images, found, strict=True)
    ]
    same = [torch.equal(after, image) for image, after in zip(images, found, strict=True)]
    assert 150 < sum(flipped) < 250
    assert sum(flipped) + sum(same) == 400


def test_every_shift_occurs() -> None:
    dot = torch.zeros(300, 1, 5, 5, dtype=torch.uint8)
    dot[:, :, 2, 2] = 1

    places = {tuple(place) for place in changed(dot, 1).nonzero()[:, 2:].tolist()}
    assert places == {(row, column) for row in (1, 2, 3) for column in (1, 2, 3)}


def gradient(count: int, height: int, width: int) -> torch.Tensor:
    """Images whose pixels are their places: the row in one channel, the column in the other."""
    rows = torch.arange(height)[:, None].expand(height, width)
    columns = torch.arange(width)[None].expand(height, width)
    return torch.stack([rows, columns]).to(torch.uint8).repeat(count, 1, 1, 1)


def cropped(images: torch.Tensor, least: float) -> torch.Tensor:
    return flipped_and_cropped(images, least, torch.Generator().manual_seed(0))


@pytest.mark.parametrize("least", [0.8, 0.9, 1.0])
def test_a_crop_that_its_ratio_would_make_wider_than_the_image_keeps_its_share(
    least: float,
) -> None:
    rows, columns = cropped(gradient(100, 120, 120), least).float().transpose(0, 1)

    high = rows.amax((1, 2)) - rows.amin((1, 2)) + 1
    wide = columns.amax((1, 2)) - columns.amin((1, 2)) + 1
    # Both are measured to a pixel.
    assert (high * wide >= least * 120**2 - 240).all()


def test_a_crop_has_at_least_its_share_of_the_area_and_lies_anywhere() -> None:
    rows, columns = cropped(gradient(400, 100, 150), 0.3).float().transpose(0, 1)

    high = rows.amax((1, 2)) - rows.amin((1, 2)) + 1
    wide = columns.amax((1, 2)) - columns.amin((1, 2)) + 1
    area = high * wide / 15_000
    # Clamping a side to the image's costs some area.
    assert 0.25 < area.min() < 0.4
    assert area.max() > 0.9
    assert rows.amin((1, 2)).max() > 30
    assert columns.amax((1, 2)).min() < 110


def test_half_the_crops_are_flipped() -> None:
    columns = cropped(gradient(400, 20, 20), 0.5)[:, 1].int()

    flipped = columns[:, 0, 0] > columns[:, 0, -1]
    assert 150 < flipped.sum() < 250


def test_colours_change_each_image_by_its_own_factors() -> None:
    images = torch.full((200, 3, 2, 2), 100, dtype=torch.uint8)

    found = recoloured(images, 0.2, torch.Generator().manual_seed(0))

    # A uniform grey image has neither contrast nor saturation.
    assert (found == found[:, :1, :1, :1]).all()
    assert 80 <= found.min() < 85 < 115 < found.max() <= 120


def test_saturation_moves_pixels_from_their_grey_and_contrast_from_the_mean() -> None:
    red = torch.tensor([140, 100, 60], dtype=torch.uint8)[:, None, None].expand(3, 4, 4)

    found = recoloured(red.repeat(300, 1, 1, 1), 0.5, torch.Generator().manual_seed(0)).float()

    grey = found.mean(1, keepdim=True)
    spread = (found - grey)[:, 0] / grey[:, 0]
    # 40 of 100, times contrast and saturation, each between ½ and 3/2.
    assert spread.min() > 0.4 * 0.25 - 0.02
    assert spread.max() < 0.4 * 2.25 + 0.02
    assert spread.min() < 0.25 < 0.6 < spread.max()
