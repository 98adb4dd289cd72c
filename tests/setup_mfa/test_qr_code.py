"""The QR code, read by an independent decoder as a phone's camera would."""

import base64
import io

import numpy as np
import png
import pytest
import zxingcpp
from PIL import Image

from functions.setup_mfa.models import MAX_ACCOUNT_LENGTH, MAX_ISSUER_LENGTH, KeyUri
from functions.setup_mfa.service import PIXELS_PER_MODULE, qr_code_data_uri

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
ORDINARY = str(KeyUri(issuer="AILifestyle", account="ada@example.com", secret=SECRET))
LONGEST = str(KeyUri(issuer="a" * MAX_ISSUER_LENGTH, account="%" * (MAX_ACCOUNT_LENGTH // 3), secret=SECRET))


def image(text: str) -> Image.Image:
    data = qr_code_data_uri(text).removeprefix("data:image/png;base64,")
    return Image.open(io.BytesIO(base64.b64decode(data, validate=True)))


def decode(picture: Image.Image) -> zxingcpp.Barcode:
    (found,) = zxingcpp.read_barcodes(picture.convert("L"))
    return found


@pytest.mark.parametrize("length", [*range(0, MAX_ACCOUNT_LENGTH, 24), MAX_ACCOUNT_LENGTH])
def test_reads_back_whatever_its_length(length: int) -> None:
    text = str(KeyUri(issuer="AI & Lifestyle", account="a" * length, secret=SECRET))
    assert decode(image(text)).text == text


def test_the_longest_key_uri_is_a_version_20_code_at_most() -> None:
    assert len(LONGEST) == 640
    modules = image(LONGEST).width // PIXELS_PER_MODULE - 8
    assert (modules - 17) / 4 <= 20
    assert decode(image(LONGEST)).text == LONGEST


@pytest.mark.parametrize("text", [ORDINARY, LONGEST], ids=["ordinary", "longest"])
class TestForm:
    def test_is_a_one_bit_greyscale_png(self, text: str) -> None:
        data = base64.b64decode(qr_code_data_uri(text).partition(",")[2])
        width, height, _, info = png.Reader(bytes=data).read()
        assert width == height
        assert (info["greyscale"], info["bitdepth"], info["alpha"]) == (True, 1, False)

    def test_has_a_quiet_zone_of_four_modules(self, text: str) -> None:
        dark = np.asarray(image(text).convert("L")) == 0
        rows, columns = np.where(dark.any(axis=1))[0], np.where(dark.any(axis=0))[0]
        zone = 4 * PIXELS_PER_MODULE
        assert (rows[0], columns[0]) == (zone, zone)
        assert (len(dark) - 1 - rows[-1], len(dark) - 1 - columns[-1]) == (zone, zone)

    def test_corrects_errors_at_level_m(self, text: str) -> None:
        assert decode(image(text)).ec_level == "M"

    def test_is_readable_at_half_its_size(self, text: str) -> None:
        picture = image(text).convert("L")
        assert decode(picture.resize((picture.width // 2, picture.height // 2))).text == text

    def test_is_readable_through_noise(self, text: str) -> None:
        pixels = np.asarray(image(text).convert("L")).astype(np.float64)
        noise = np.random.default_rng(0).normal(0, 30, pixels.shape)
        noisy = Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8))
        assert decode(noisy).text == text

    def test_is_readable_turned_and_stained(self, text: str) -> None:
        picture = image(text).convert("L").rotate(7, expand=True, fillcolor=255, resample=Image.Resampling.BILINEAR)
        middle = picture.width // 2
        stain = max(8, picture.width // 25)
        picture.paste(255, (middle, middle, middle + stain, middle + stain))
        assert decode(picture).text == text


def test_says_nothing_but_the_text() -> None:
    """No time, no software name: the same text is the same bytes."""
    assert qr_code_data_uri(ORDINARY) == qr_code_data_uri(ORDINARY)
    data = base64.b64decode(qr_code_data_uri(ORDINARY).partition(",")[2])
    assert [kind for kind, _ in png.Reader(bytes=data).chunks()] == [b"IHDR", b"IDAT", b"IEND"]
