"""Does choosing a QR code's mask by the penalty score make it easier to read? Evidence for ADR 70.

Enrolment codes with the mask that ISO/IEC 18004 section 7.8.3 scores best, and with each fixed mask, are degraded as
a poor screen and a shaking hand would, and read by zxing-cpp. ``python -m tools.bench.qr_masks`` prints how many
of each could be read. It is no part of ``make bench``: the answer does not depend on the machine.
"""

import base64
import random
import sys
from collections.abc import Iterator

import numpy as np
import zxingcpp
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode

from functions.setup_mfa.models import KeyUri

type Picture = NDArray[np.uint8]

MASKS = range(8)
_PIXELS_PER_MODULE = 8


def matrix(text: str, mask: int | None) -> NDArray[np.bool_]:
    """Return the modules, dark is true, with a quiet zone of 4; with no mask given the score chooses."""
    code = QRCode(error_correction=ERROR_CORRECT_M, border=4, mask_pattern=mask)
    code.add_data(text)
    code.make(fit=True)
    return np.array(code.get_matrix(), dtype=bool)


def degraded(modules: NDArray[np.bool_], rng: np.random.Generator) -> Iterator[tuple[str, Picture]]:
    """Yield the picture as a camera might see it, by the name of what went wrong."""
    pixels_dark = modules.repeat(_PIXELS_PER_MODULE, axis=0).repeat(_PIXELS_PER_MODULE, axis=1)
    clean: Picture = np.where(pixels_dark, 0, 255).astype(np.uint8)
    picture = Image.fromarray(clean)
    side = modules.shape[0]
    yield "clean", clean
    for pixels in (2.0, 1.6, 1.3):
        small = picture.resize((round(side * pixels),) * 2, Image.Resampling.BILINEAR)
        yield f"{pixels} px a module", np.asarray(small)
    for radius in (3.2, 3.6, 4.0):
        blurred = picture.filter(ImageFilter.GaussianBlur(radius))
        yield f"blur {radius / _PIXELS_PER_MODULE:.2f} modules", np.asarray(blurred)
    for sigma in (30, 45, 60):
        yield f"noise {sigma}", _noisy(clean, sigma, rng)
    for angle in (7, 22):
        turned = picture.rotate(angle, Image.Resampling.BILINEAR, expand=True, fillcolor=255)
        shrunk = turned.resize((round(turned.width * 0.3),) * 2, Image.Resampling.BILINEAR)
        yield f"turned {angle}, noise 40, 2.4 px", _noisy(np.asarray(shrunk), 40, rng)
    spoiled: Picture = clean.copy()
    for _ in range(12):
        x, y = rng.integers(12 * _PIXELS_PER_MODULE, clean.shape[0] - 12 * _PIXELS_PER_MODULE, 2)
        spoiled[y : y + 16, x : x + 16] = rng.integers(0, 2) * 255
    yield "12 spots of 2 x 2 modules", spoiled


def _noisy(picture: Picture, sigma: float, rng: np.random.Generator) -> Picture:
    return np.clip(picture + rng.normal(0, sigma, picture.shape), 0, 255).astype(np.uint8)


def readable(picture: Picture, text: str) -> bool:
    """Tell whether zxing-cpp reads the text."""
    return any(found.text == text for found in zxingcpp.read_barcodes(picture))


def study(payloads: int) -> dict[str, dict[str, int]]:
    """Return, for each kind of degradation, how many codes of each choice were read."""
    source = random.Random(7)  # noqa: S311 - the same payloads every time
    read: dict[str, dict[str, int]] = {}
    for number in range(payloads):
        secret = base64.b32encode(source.randbytes(20)).decode()
        account = f"user{number}.{'x' * (number % 40)}@example.com"
        text = str(KeyUri(issuer="AILifestyle", account=account, secret=secret))
        for mask in (None, *MASKS):
            modules = matrix(text, mask)
            # The same noise for every choice of one payload.
            for kind, picture in degraded(modules, np.random.default_rng(number)):
                counts = read.setdefault(kind, {})
                name = "scored" if mask is None else str(mask)
                counts[name] = counts.get(name, 0) + readable(picture, text)
    return read


def main(payloads: int) -> None:
    """Print the study's table."""
    choices = ["scored", *map(str, MASKS)]
    print(f"{'of ' + str(payloads):32}" + "".join(f"{choice:>8}" for choice in choices))
    for kind, counts in study(payloads).items():
        print(f"{kind:32}" + "".join(f"{counts[choice]:8}" for choice in choices))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
