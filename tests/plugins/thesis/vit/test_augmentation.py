import torch

from harness_plugins.thesis.vit.augmentation import flipped_and_shifted


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
