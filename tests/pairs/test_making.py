"""What is made of a photo, in closed form."""

import numpy as np
import pytest
from PIL import Image
from small_run import picture

from gan_zoo.images import BadImage, Planes, to_channels
from gan_zoo.pairs import regions
from gan_zoo.pairs.edges import canny, xdog
from gan_zoo.pairs.making import PairMaker, mosaic, of_blocks, smaller
from gan_zoo.pairs.settings import PairSettings


def halves(pair: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    width = pair.shape[1] // 2
    return pair[:, :width], pair[:, width:]


def made(image: np.ndarray, name: str = "a.png", **settings) -> tuple[np.ndarray, np.ndarray, dict]:
    pair, record = PairMaker(PairSettings(**settings)).pair(image, name)
    return *halves(pair), record


def test_blocks_have_their_means() -> None:
    image = picture(11, 14)
    blocks = mosaic(image, 4)
    for top in (0, 4, 8):
        for left in (0, 4, 8, 12):
            block = image[top : top + 4, left : left + 4].reshape(-1, 3)  # fewer at the far borders
            expected = np.floor(block.mean(0) + 0.5)
            np.testing.assert_array_equal(
                blocks[top : top + 4, left : left + 4].reshape(-1, 3), np.tile(expected, (len(block), 1))
            )


def test_mosaics_and_holes_lie_in_their_regions_and_nowhere_else() -> None:
    image = picture(40, 40)
    hole, photo, record = made(image, make="hole", regions="centre", region_size=0.5)
    assert record == {"regions": [[10, 10, 30, 30]], "share": 0.25}
    expected = image.copy()
    expected[10:30, 10:30] = 255
    np.testing.assert_array_equal(hole, expected)
    np.testing.assert_array_equal(photo, image)

    blocks, photo, record = made(image, make="mosaic", regions="centre", block=8)
    inside = np.zeros((40, 40), bool)
    inside[8:32, 8:32] = True  # whole blocks
    np.testing.assert_array_equal(blocks, np.where(inside[..., None], mosaic(image, 8), image))
    assert record == {"regions": [[10, 10, 30, 30]], "share": 0.36}
    np.testing.assert_array_equal(photo, image)
    whole, _, record = made(image, make="mosaic", block=8)
    np.testing.assert_array_equal(whole, mosaic(image, 8))
    assert record == {"regions": [[0, 0, 40, 40]], "share": 1.0}
    mask = np.zeros((10, 10), bool)
    mask[4, 9] = True
    assert np.argwhere(of_blocks(mask, 4)).tolist() == [[row, column] for row in range(4, 8) for column in (8, 9)]


def test_random_regions_are_of_the_seed_and_the_name() -> None:
    image = picture(60, 90)
    settings = {"make": "hole", "regions": "random", "region_size": 0.4, "num_regions": 2}
    first, again = made(image, **settings), made(image, **settings)
    np.testing.assert_array_equal(first[0], again[0])
    others = [made(image, "b.png", **settings), made(image, seed=1, **settings)]
    assert all(other[2]["regions"] != first[2]["regions"] for other in others)
    random, tops, heights = np.random.default_rng(0), [], set()
    for _ in range(300):
        found = regions.random_boxes(60, 90, 0.4, 1, random)
        ((top, left, bottom, right),) = found.boxes
        assert top >= 0 and bottom <= 60 and 12 <= bottom - top <= 24 and left >= 0 and right <= 90
        assert 18 <= right - left <= 36 and found.mask.sum() == (bottom - top) * (right - left)
        heights.add(bottom - top)
        tops.append(top / (60 - (bottom - top)))
    assert heights == set(range(12, 25))
    # Evenly distributed: the mean of 300 has a standard deviation of 0.289 / sqrt(300) = 0.017.
    assert abs(np.mean(tops) - 0.5) < 0.07 and min(tops) < 0.05 and max(tops) > 0.95


def test_boxes_are_those_of_connected_pieces() -> None:
    mask = np.zeros((12, 12), bool)
    mask[1:3, 1:4] = mask[3, 4] = mask[8:10, 6] = True  # touching by a corner, and apart
    found = regions.boxed(mask)
    assert found.boxes == ((1, 1, 4, 5), (8, 6, 10, 7)) and found.mask.sum() == 12 + 2
    assert regions.of_mask(mask).boxes == ((1, 1, 10, 7),)
    np.testing.assert_array_equal(regions.of_mask(mask).mask, mask)


def test_grey_and_small() -> None:
    image = picture(27, 34, 4)
    grey, photo, _ = made(image, make="grey")
    np.testing.assert_array_equal(photo, to_channels(image, 3))  # over white
    np.testing.assert_array_equal(grey, np.repeat(to_channels(photo, 1), 3, -1))
    small, photo, _ = made(image, make="small", scale=4)
    assert photo.shape == (24, 32, 3)
    np.testing.assert_array_equal(small, smaller(photo, 4))
    # A ramp stays one, but near its ends, where it is mirrored.
    ramp = np.tile(np.arange(0, 256, 4, dtype=np.uint8)[None, :, None], (16, 1, 3))
    assert np.abs(smaller(ramp, 4).astype(int) - ramp)[:, 12:-12].max() <= 2
    with pytest.raises(BadImage, match="14x14 pixels: too few to be made 8 times smaller"):
        made(picture(14, 14), make="small", scale=8)


def test_sizes_and_kinds() -> None:
    image = np.zeros((40, 60, 3), np.uint8)
    image[:, 10:50] = 200
    _, photo, _ = made(image, make="grey", size=20)
    assert photo.shape == (20, 20, 3) and (photo == 200).all()
    with pytest.raises(BadImage, match="60x40 pixels: too few for 64x64 without being enlarged"):
        made(image, make="grey", size=64)
    plain = picture(16, 16)
    np.testing.assert_array_equal(made(plain.astype(np.uint16) * 257, make="grey")[1], plain)
    with pytest.raises(BadImage, match="an array file: pairs are made from pictures"):
        made(image.view(Planes), make="grey")


def disc(radius: float = 20.0) -> tuple[np.ndarray, np.ndarray]:
    """A grey disc on a darker ground, smooth at its edge as photographs are, and each pixel's distance to that edge."""
    rows, columns = np.mgrid[:64, :64] - 31.5
    distance = np.hypot(rows, columns) - radius
    return (80 + 100 * np.clip(0.5 - distance, 0, 1)).astype(np.uint8)[..., None], distance


def test_canny_draws_the_edge_black_on_white() -> None:
    image, distance = disc()
    drawing = canny(image, sigma=1.0, low=0.1, high=0.2)
    assert drawing.shape == (64, 64, 1) and set(np.unique(drawing)) == {0, 255}
    lines = drawing[..., 0] == 0
    # The gradient is largest on the circle; a line of one pixel cannot leave it by more than one.
    assert np.abs(distance[lines]).max() <= 1.1
    # Diagonal steps count once: between 8 r / sqrt(2) and 8 r pixels.
    assert 8 * 20 / np.sqrt(2) - 8 <= lines.sum() <= 8 * 20
    assert (canny(image, sigma=1.0, low=0.9, high=1.9) == 255).all()
    square = np.zeros((64, 64, 1), np.uint8)
    square[:, 32], square[:, 33:] = 128, 255  # so that one column is the steepest
    for thickness in (1, 3, 4):
        widths = (canny(square, sigma=1.0, low=0.1, high=0.2, thickness=thickness)[5:-5, :, 0] == 0).sum(1)
        assert set(widths) == {thickness}


def test_xdog_in_closed_form() -> None:
    """A step behind Gaussians is their integral, so each tone on it is known."""
    erf = np.vectorize(__import__("math").erf)
    image = np.full((8, 80, 1), 51, np.uint8)
    image[:, 40:] = 204
    x = np.arange(80) - 39.5
    sigma, tau, epsilon, phi = 2.0, 0.98, 0.001, 20.0

    def behind(width: float) -> np.ndarray:
        return 0.2 + 0.6 * (0.5 + 0.5 * erf(x / (width * np.sqrt(2))))

    difference = behind(sigma) - tau * behind(1.6 * sigma)
    expected = 255 * np.where(difference >= epsilon, 1, 1 + np.tanh(phi * (difference - epsilon)))
    found = xdog(image, sigma=sigma, tau=tau, epsilon=epsilon, phi=phi)[4, :, 0]
    # Sampled Gaussians, cut off at four sigmas, for integrals: some thousandths of 0.6, times phi.
    np.testing.assert_allclose(found, expected, atol=4)
    assert found.min() < 80 and (found[:25] == 255).all() and (found[-25:] == 255).all()
    thick = xdog(image, sigma=sigma, tau=tau, epsilon=epsilon, phi=phi, thickness=3)[4, :, 0]
    np.testing.assert_array_equal(thick[1:-1], np.minimum(np.minimum(found[:-2], found[1:-1]), found[2:]))
    np.testing.assert_array_equal(xdog(np.full((8, 8, 1), 90, np.uint8), sigma=1.0, tau=0.9, epsilon=0.0, phi=9.0), 255)


def test_edges_are_the_made_half() -> None:
    image = np.asarray(Image.fromarray(disc()[0][..., 0]).convert("RGB"))
    lines, photo, record = made(image, make="edges", thickness=2)
    np.testing.assert_array_equal(lines, np.repeat(canny(image, sigma=1.0, low=0.1, high=0.2, thickness=2), 3, -1))
    np.testing.assert_array_equal(photo, image)
    assert record == {}
    soft = made(image, make="edges", detector="xdog", sigma=1.4)[0]
    np.testing.assert_array_equal(soft[..., :1], xdog(image, sigma=1.4, tau=0.98, epsilon=0.0, phi=50.0))
