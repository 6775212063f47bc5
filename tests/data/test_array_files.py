"""Arrays in files: what comes out of them, and what happens to files that claim more than they hold."""

import io
import pickle
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from PIL import Image

from gan_zoo.data.array_files import decode_array, write_npy
from gan_zoo.data.reading import Reading
from gan_zoo.images import BadImage, Planes, decode_image

RANDOM = np.random.default_rng(0)


def noise(*shape: int, dtype="uint8") -> np.ndarray:
    return RANDOM.integers(0, np.iinfo(dtype).max, shape, endpoint=True, dtype=np.dtype(dtype).newbyteorder("="))


def npy(array: np.ndarray, **kwargs) -> bytes:
    data = io.BytesIO()
    np.lib.format.write_array(data, array, **kwargs)
    return data.getvalue()


def tiff(*pages: Image.Image, **kwargs) -> bytes:
    data = io.BytesIO()
    pages[0].save(data, "TIFF", save_all=True, append_images=pages[1:], **kwargs)
    return data.getvalue()


def grey(*arrays: np.ndarray) -> list[Image.Image]:
    return [Image.fromarray(array) for array in arrays]


def assert_bad(name: str, data: bytes, *parts: str) -> None:
    tracemalloc.start()
    with pytest.raises(BadImage) as caught:
        Reading().decode(name, data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000  # nothing of the claimed size was made
    for part in parts:
        assert part in str(caught.value), caught.value
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("dtype", ["uint8", "<u2", ">u2"])
@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
def test_arrays_of_numpy(dtype, version) -> None:
    for shape in ((9, 12), (9, 12, 1), (9, 12, 2), (9, 12, 16)):
        for array in (noise(*shape, dtype=dtype).astype(dtype), np.asfortranarray(noise(*shape, dtype=dtype))):
            image = Reading().decode("x.NPY", npy(array, version=version))
            assert (
                isinstance(image, Planes)
                and image.dtype == np.dtype(dtype).newbyteorder("=")
                and image.flags.c_contiguous
            )
            np.testing.assert_array_equal(image, array.reshape(9, 12, -1))


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("count", [2, 16])
def test_pages_of_tiff_are_channels(compression, dtype, count) -> None:
    image = noise(9, 300, count, dtype=dtype)
    image[:, 50:] = image[:1, :1]  # so that there is something to pack
    decoded = Reading().decode("x.tif", tiff(*grey(*np.moveaxis(image, -1, 0)), compression=compression))
    assert decoded.dtype == dtype
    np.testing.assert_array_equal(decoded, image)


def test_a_page_that_packs_as_well_as_anything_can_is_read() -> None:
    plain = np.zeros((2000, 2000), np.uint8)
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits"):
        data = tiff(*grey(plain, plain), compression=compression)
        assert len(data) < 2 * plain.size / 50
        np.testing.assert_array_equal(Reading().decode("x.tiff", data)[..., 1], plain)


def by_hand(pages: np.ndarray, bits: int, order: str = ">", photometric: int = 1, share: bool = False) -> bytes:
    """A TIFF of pages `[N, H, W]`, which may all share the numbers of the first one."""
    count, height, width = pages.shape
    size = pages[0].nbytes
    first = 8 + (size if share else count * size)
    data = {">": b"MM\0*", "<": b"II*\0"}[order] + struct.pack(f"{order}I", first)
    data += pages[: 1 if share else None].tobytes()
    for page in range(count):
        strip = 8 if share else 8 + page * size
        tags = {
            256: width,
            257: height,
            258: bits,
            259: 1,
            262: photometric,
            273: strip,
            277: 1,
            278: height,
            279: size,
        }
        data += struct.pack(f"{order}H", len(tags))
        data += b"".join(struct.pack(f"{order}HHII", tag, 4, 1, tags[tag]) for tag in tags)
        data += struct.pack(f"{order}I", len(data) + 4 if page < count - 1 else 0)
    return data


def test_tiff_of_either_byte_order_and_white_at_zero() -> None:
    pages = noise(2, 9, 12, dtype="uint16")
    for order, photometric, expected in ((">", 1, pages), ("<", 1, pages), ("<", 0, 65535 - pages)):
        decoded = Reading().decode("x.tiff", by_hand(pages.astype(f"{order}u2"), 16, order, photometric))
        assert decoded.dtype == np.uint16
        np.testing.assert_array_equal(decoded, np.moveaxis(expected, 0, -1))


def header(text: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


def claim(shape: str, descr: str = "'|u1'") -> bytes:
    return header(f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n") + bytes(100)


def test_arrays_that_cannot_be_used() -> None:
    for shape in ("(100000, 100000, 16)", "(10, 11)", f"({2**62}, {2**62})", f"({2**40}, 8, 3)"):
        assert_bad("x.npy", claim(shape), "claims the shape", "truncated")
    assert_bad("x.npy", claim("(8, 8, 17)"), "17 channels", "1 to 16")
    assert_bad("x.npy", claim("(8, 8, 0)"), "0 channels")
    assert_bad("x.npy", claim("(2, 8, 8)"), "8x2 pixels", "[H, W, C]")
    assert_bad("x.npy", claim("(-8, 8)"), "8x-8 pixels")
    for shape in ("()", "(64,)", "(1, 8, 8, 1)"):
        assert_bad("x.npy", claim(shape), "dimensions")
    for descr in ("'<f4'", "'|i1'", "'|b1'", "'|O'", "'<U3'", "[('a', '|u1')]"):
        assert_bad("x.npy", claim("(8, 8)", descr), "type", "uint8 or uint16")
    for data in (header("{}"), header("(" * 5000), header("__import__('os')"), b"\x93NUMPY\x03\x00" + bytes(99)):
        assert_bad("x.npy", data, "no file of numpy's, or a damaged one")
    whole = npy(noise(8, 9, 2))
    for length in range(len(whole)):
        assert_bad("x.npy", whole[:length])


def test_nothing_is_unpickled(tmp_path) -> None:
    proof = tmp_path / "proof"
    program = b"cos\nsystem\n(S'touch " + str(proof).encode() + b"'\ntR."
    data = npy(np.array([[None] * 8] * 8, dtype=object), allow_pickle=True)
    assert_bad("x.npy", data[: data.index(b"\n") + 1] + program, "uint8 or uint16")
    assert_bad("x.npy", program, "no file of numpy's")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("x.npy", npy(noise(8, 8)))
    assert_bad("x.npy", archive.getvalue(), "no file of numpy's")
    assert not proof.exists()
    pickle.loads(program)
    assert proof.exists()


def with_tag(data: bytes, tag: int, value: int) -> bytes:
    """A little-endian TIFF whose tag of one number has another one, in all its pages."""
    changed, start = bytearray(data), int.from_bytes(data[4:8], "little")
    while start:
        count = int.from_bytes(data[start : start + 2], "little")
        for place in range(start + 2, start + 2 + 12 * count, 12):
            if int.from_bytes(data[place : place + 2], "little") == tag:
                changed[place + 2 : place + 12] = struct.pack("<HII", 4, 1, value)
        start = int.from_bytes(data[start + 2 + 12 * count :][:4], "little")
    return bytes(changed)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_tiff_files_that_claim_more_than_they_hold(compression) -> None:
    data = tiff(*grey(*noise(3, 9, 12)), compression=compression)
    wide = with_tag(with_tag(data, 256, 12_000), 257, 12_000)
    assert_bad("x.tif", wide, "claims 12000x12000 pixels", "too short")
    assert_bad("x.tif", with_tag(with_tag(data, 256, 2**31), 257, 2**31))


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_tiff_files_that_cannot_be_used() -> None:
    pages = grey(*noise(2, 9, 12))
    assert_bad("x.tif", tiff(*grey(*noise(17, 9, 12))), "more than 16 grey pages")
    assert_bad("x.tif", tiff(*pages, compression="jpeg"), "packed by jpeg", "LZW or Deflate")
    assert_bad("x.tif", tiff(*grey(*noise(2, 7, 12))), "12x7 pixels")
    # Pages that share their numbers are together more than the file has.
    assert_bad("x.tif", by_hand(noise(2, 100, 100), bits=8, share=True), "claims 100x100 pixels", "too short")
    whole = tiff(*pages)
    for length in range(len(whole) - 10):  # which fill it up
        try:
            cut = Reading().decode("x.tif", whole[:length])
        except BadImage:
            continue
        assert cut.shape == (9, 12, 1)  # a picture, as far as it shows
        np.testing.assert_array_equal(cut[..., 0], np.asarray(pages[0]))


@pytest.mark.parametrize(
    "pages",
    [
        grey(noise(9, 12)),
        grey(noise(9, 12), noise(9, 13)),
        grey(noise(9, 12), noise(9, 12, dtype="uint16")),
        grey(noise(9, 12, 3), noise(9, 12, 3)),
        grey(noise(9, 12), noise(9, 12, 3)),
    ],
)
def test_other_tiff_files_are_pictures(pages) -> None:
    data = tiff(*pages)
    assert decode_array("x.tif", data) is None
    image = Reading().decode("x.tif", data)
    assert not isinstance(image, Planes)
    np.testing.assert_array_equal(image, decode_image(data))


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_picture_with_a_damaged_directory_behind_it_is_read_as_one() -> None:
    page = noise(9, 12)
    data = by_hand(page[np.newaxis], bits=8)
    assert data.endswith(bytes(4))  # there is no other page
    for place in (3, len(data) - 20, len(data) + 10**6):
        damaged = data[:-4] + struct.pack(">I", place)
        np.testing.assert_array_equal(Reading().decode("x.tif", damaged)[..., 0], page)


def test_what_is_written_is_whole(tmp_path, monkeypatch) -> None:
    image = noise(9, 12, 5)
    write_npy(tmp_path / "x.npy", image)
    np.testing.assert_array_equal(Reading().decode("x.npy", (tmp_path / "x.npy").read_bytes()), image)
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_npy(tmp_path / "x.npy", image[::-1])
    assert [path.name for path in tmp_path.iterdir()] == ["x.npy"]
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), image)
