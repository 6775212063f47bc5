"""Colour profiles made of bytes, as the ICC's specification lays them out, and what they mean as closed forms."""

import struct

import numpy as np

# XYZ of red, green and blue under D50, one a column: Adobe RGB (1998) and sRGB as their specifications have them.
ADOBE_RGB = np.array([[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]])
SRGB = np.array(
    [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]
)
D50, D65 = (0.9642, 1.0, 0.8249), (0.9505, 1.0, 1.0891)
GAMMA = 563 / 256  # Adobe RGB's, 2.19921875


def rgb_profile(matrix: np.ndarray = ADOBE_RGB, curve: float | np.ndarray = GAMMA) -> bytes:
    """Of a screen whose white is D65. The curve is a gamma, or the light of evenly spaced levels, 0 to 1."""
    colorants = {f"{name}XYZ": _xyz(column) for name, column in zip("rgb", matrix.T, strict=True)}
    curves = {f"{name}TRC": _curve(curve) for name in "rgb"}
    return _profile("RGB ", {"wtpt": _xyz(D65)} | colorants | curves)


def grey_profile(gamma: float = GAMMA) -> bytes:
    return _profile("GRAY", {"wtpt": _xyz(D50), "kTRC": _curve(gamma)})


# What full cyan, magenta, yellow and black ink of `cmyk_profile` do to the Lab of white paper, (100, 0, 0).
INKS = np.array([[-35, -25, -30], [-40, 70, 0], [-10, 0, 90], [-95, 0, 0]])


def cmyk_profile() -> bytes:
    """On yellowish paper. Knows no ink or all of it, and what lies between by interpolation."""
    corners = np.array(np.meshgrid(*[[0, 1]] * 4, indexing="ij")).reshape(4, -1).T  # [16, 4], black fastest
    lab = np.array([100, 0, 0]) + corners @ INKS
    lab[:, 0] = np.maximum(lab[:, 0], 0)
    encoded = np.round(np.stack([lab[:, 0] * 2.55, lab[:, 1] + 128, lab[:, 2] + 128], -1)).astype(np.uint8)
    identity = np.eye(3).ravel() * 65536
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + struct.pack(">9i", *identity.astype(int))
    table += bytes(range(256)) * 4 + encoded.tobytes() + bytes(range(256)) * 3
    return _profile("CMYK", {"wtpt": _xyz((0.80, 0.83, 0.60)), "A2B0": table}, connection="Lab ", device="prtr")


def srgb_encoded(light: np.ndarray) -> np.ndarray:
    """Light -> 0 to 255, not rounded; what lies outside is clipped."""
    light = np.clip(light, 0, 1)
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def srgb_decoded(value: np.ndarray) -> np.ndarray:
    """0 to 1 -> light, 0 to 1."""
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def to_srgb(image: np.ndarray, matrix: np.ndarray = ADOBE_RGB, gamma: float = GAMMA) -> np.ndarray:
    """What `[..., 3]` uint8 with an `rgb_profile` looks like in sRGB, not rounded."""
    return srgb_encoded((image / 255) ** gamma @ (np.linalg.inv(SRGB) @ matrix).T)


def lab_to_srgb(lab: np.ndarray) -> np.ndarray:
    """CIE Lab under D50 -> 0 to 255, not rounded."""
    y = (lab[0] + 16) / 116
    value = np.array([y + lab[1] / 500, y, y - lab[2] / 200])
    xyz = np.where(value > 6 / 29, value**3, (value - 4 / 29) * 3 * (6 / 29) ** 2) * D50
    return srgb_encoded(np.linalg.inv(SRGB) @ xyz)


def _xyz(values: np.ndarray | tuple[float, ...]) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))


def _curve(curve: float | np.ndarray) -> bytes:
    values = [curve * 256] if isinstance(curve, float) else curve * 65535
    return b"curv\0\0\0\0" + struct.pack(f">I{len(values)}H", len(values), *(round(value) for value in values))


def _profile(space: str, tags: dict[str, bytes], connection: str = "XYZ ", device: str = "mntr") -> bytes:
    header_size, entry_size = 128, 12
    table, body = struct.pack(">I", len(tags)), b""
    start = header_size + 4 + entry_size * len(tags)
    for name, data in tags.items():
        table += name.encode() + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    words = [device.encode(), space.encode(), connection.encode()]
    header = struct.pack(">I4sI", start + len(body), b"lcms", 0x02400000) + b"".join(words)
    header += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", *(round(value * 65536) for value in D50))
    return header.ljust(header_size, b"\0") + table + body
