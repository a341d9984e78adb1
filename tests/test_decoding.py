"""Direct decoding: byte for byte what rasterio reads, and nothing where rasterio would complain.

Files are written by GDAL, or by hand with the predictors computed here in plain numpy.
"""

import importlib.util
import os
import threading
import zlib
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rasterio.transform import from_origin
from rasterio.windows import Window

from gep import decoding, unpacking
from gep.decoding import Tiles, tiles_of
from gep.errors import InputError
from gep.unpacking import HEAD, SLACK, loop, lzw

pytestmark = pytest.mark.skipif(
    os.environ.get("NUMBA_DISABLE_JIT", "0") != "0", reason="uncompiled, files are left to rasterio"
)
LIBRARY = importlib.util.find_spec("imagecodecs") is not None
COMPRESSIONS = ["none", "lzw", "deflate", *(["zstd"] if LIBRARY else [])]
PLACE = {"crs": "EPSG:4547", "transform": from_origin(500_000, 3_100_000, 30, 30)}
EXAMPLES = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)


def written(path: Path, bands: NDArray[Any], **options: Any) -> Path:
    """GeoTIFF of *bands* (bands, rows, columns), in tiles of 32 rows and 48 columns by default."""
    options = {"tiled": True, "blockysize": 32, "blockxsize": 48} | options
    count, height, width = bands.shape
    form = {"driver": "GTiff", "count": count, "height": height, "width": width, **PLACE}
    with rasterio.open(path, "w", **form, dtype=bands.dtype, **options) as file:
        file.write(bands)
    return path


def numbers(
    seed: int, dtype: str, shape: tuple[int, ...], spread: int = 40, low: int = 0
) -> NDArray[Any]:
    """Numbers with runs and jumps, the extremes of their type among them."""
    random = np.random.default_rng(seed)
    found = random.integers(low, low + spread, shape)
    found = np.where(random.random(shape) < 0.6, np.roll(found, 1, -1), found)
    if dtype[0] == "f":
        some = np.array([np.nan, np.inf, -np.inf, np.finfo(dtype).max, -0.0, 1e-40])
        values = (found * 0.37).astype(dtype)
    else:
        some = np.array([np.iinfo(dtype).min, np.iinfo(dtype).max])
        values = found.astype(dtype)
    chosen = random.random(shape) < 0.05
    values[chosen] = random.choice(some, chosen.sum()).astype(dtype)
    return values


def opened(path: Path, band: int = 1) -> Tiles:
    with rasterio.open(path) as file:
        tiles = tiles_of(file, band)
    assert tiles is not None
    return tiles


def refused(path: Path, band: int = 1) -> bool:
    with rasterio.open(path) as file:
        return tiles_of(file, band) is None


def by_rasterio(path: Path, window: Window, band: int = 1) -> NDArray[Any]:
    with rasterio.open(path) as file:
        return file.read(band, window=window)  # type: ignore[no-any-return]


@st.composite
def windows(draw: st.DrawFn, height: int, width: int) -> Window:
    top, left = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
    high, wide = draw(st.integers(1, height - top)), draw(st.integers(1, width - left))
    return Window(left, top, wide, high)


@EXAMPLES
@given(data=st.data())
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_every_plain_file_reads_as_with_rasterio(
    compression: str, tmp_path: Path, data: st.DataObject
) -> None:
    dtype = data.draw(st.sampled_from(decoding.NUMBERS))
    predictors = [1] if compression == "none" else [1, 2, *([3] if dtype[0] == "f" else [])]
    shape = (data.draw(st.integers(1, 3)), *data.draw(st.tuples(*[st.integers(1, 150)] * 2)))
    bands = numbers(data.draw(st.integers(0, 99)), dtype, shape, data.draw(st.integers(1, 120)))
    options: dict[str, Any] = {"compress": compression} if compression != "none" else {}
    if predictors != [1]:
        options["predictor"] = data.draw(st.sampled_from(predictors))
    options["interleave"] = data.draw(st.sampled_from(["band", "pixel"]))
    options["endianness"] = data.draw(st.sampled_from(["LITTLE", "BIG"]))
    options["bigtiff"] = data.draw(st.sampled_from(["YES", "NO"]))
    options["blockysize"] = data.draw(st.sampled_from([16, 32, 64, 160]))
    options["blockxsize"] = data.draw(st.sampled_from([16, 48, 64, 160]))
    short = shape[1] % options["blockysize"] != 0
    assume(options["blockxsize"] != shape[2] or not short)  # might be strips
    path = written(tmp_path / "file.tif", bands, **options)
    band, window = data.draw(st.integers(1, shape[0])), data.draw(windows(*shape[1:]))
    with closing(opened(path, band)) as tiles:
        read = tiles.read(window)
        lent = tiles.lend(window)
        assert lent is not None
        assert lent.dtype == tiles.dtype
        borrowed = lent.tobytes()  # what is done next may overwrite it
    wanted = by_rasterio(path, window, band)
    assert read is not None
    assert (read.dtype, read.shape) == (wanted.dtype, wanted.shape)
    assert read.tobytes() == borrowed == wanted.tobytes()


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
def test_whole_tiles_of_256_with_much_and_little_in_them(
    compression: str, dtype: str, tmp_path: Path
) -> None:
    """Big enough for the table of LZW to fill and empty many times, and for very long strings."""
    bands = numbers(7, dtype, (1, 256, 768), 5000 if dtype != "uint8" else 250)
    bands[0, :, 256:512] = 3
    options = {} if compression == "none" else {"compress": compression}
    path = written(tmp_path / "file.tif", bands, blockysize=256, blockxsize=256, **options)
    with closing(opened(path)) as tiles:
        for left in (0, 256, 512):
            window = Window(left, 0, 256, 256)
            out = np.empty((256, 256), dtype)
            assert tiles.read(window, out) is out
            assert out.tobytes() == bands[0, :, left : left + 256].tobytes()


def packed_codes(codes: list[int], bits: int = 9) -> NDArray[np.uint8]:
    text = "".join(f"{code:0{bits}b}" for code in codes)
    text += "0" * (-len(text) % 8)
    return np.array([int(text[n : n + 8], 2) for n in range(0, len(text), 8)], np.uint8)


def unpacked_lzw(packed: NDArray[np.uint8], room: int) -> bytes | None:
    """What `lzw` makes of some bytes; None if it does not fill the room."""
    memory = np.full(HEAD + room + SLACK, 99, np.uint8)
    behind = np.concatenate([packed, np.full(SLACK, 0xFF, np.uint8)])
    count = loop(lzw)(behind, len(packed), memory, np.zeros(4096, np.uint64))
    return memory[HEAD : HEAD + room].tobytes() if count == room else None


def test_lzw_of_the_specification() -> None:
    """TIFF 6.0 (1992), section 13: the example that is compressed there step by step."""
    packed = packed_codes([256, 7, 258, 8, 8, 258, 6, 6, 257])
    assert unpacked_lzw(packed, 9) == bytes([7, 7, 7, 8, 8, 7, 7, 6, 6])


@pytest.mark.parametrize(
    "codes",
    [
        [7, 258, 8, 8, 258, 6, 6, 257],  # does not begin with the code that empties the table
        [256, 7, 258, 8, 257],  # ends early
        [256, 7, 300, 8, 8, 258, 6, 6, 257],  # a string nobody defined
        [256, 258, 7, 7, 7, 8, 8, 8, 8],  # a string right after the table was emptied
        [256, 7, 258, 260, 260, 260, 257],  # more than there is room for
        [256, 7, 258],  # the file ends
        [],
    ],
)
def test_what_is_no_lzw_does_not_fill_the_room(codes: list[int]) -> None:
    assert unpacked_lzw(packed_codes(codes), 9) is None


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.integers(1, 400))
def test_any_bytes_stay_within_the_memory_of_lzw(packed: bytes, room: int) -> None:
    """In the reference, plain Python with lists, an index out of place is an error."""
    found = unpacked_lzw(np.frombuffer(packed, np.uint8), room)
    assert found == plain_lzw(packed, room)


def plain_lzw(packed: bytes, room: int) -> bytes | None:
    """LZW of TIFF 6.0 with a table of strings; None unless it gives just *room* bytes."""
    stream = "".join(f"{byte:08b}" for byte in packed)
    table: list[bytes] = []
    out, last, at, width = b"", b"", 0, 9
    while len(out) < room:
        code = int(stream[at : at + width], 2) if at + width <= len(stream) else 257
        at += width
        if code == 257 or (not table and code != 256):
            return None
        if code == 256:
            table, last, width = [bytes([n]) for n in range(256)] + [b"", b""], b"", 9
            continue
        if last:
            if len(table) > 4095 or code > len(table):
                return None
            table.append(last + (table[code] if code < len(table) else last)[:1])
        elif code > 255:
            return None
        last = table[code]
        out += last
        if len(table) == 2**width - 1 and width < 12:
            width += 1
    return out if len(out) == room else None


@pytest.mark.parametrize("wide", [16, 48, 400, 512])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_predictor_of_floats_by_hand(dtype: str, wide: int) -> None:
    """Technical Note 3: planes of bytes, the highest first, then differences of all bytes."""
    stored = numbers(11, dtype, (16, wide), 999)
    stored[7] = np.uint8(255).repeat(stored[7].nbytes).view(dtype)  # the greatest sums there are
    size = stored.dtype.itemsize
    planes = stored.astype(stored.dtype.newbyteorder(">")).view(np.uint8)
    lines = planes.reshape(16, wide, size).transpose(0, 2, 1).reshape(16, -1)
    lines[:, 1:] = np.diff(lines, axis=1)
    lines[9] = 255  # steps of 255, over and over
    sums = np.cumsum(lines[9], dtype=np.uint8).reshape(size, wide).T[:, ::-1]
    stored[9] = np.ascontiguousarray(sums).view(dtype)[:, 0]
    bits, room = lines.view(f"u{size}"), np.empty(lines.shape[1], np.uint64)
    loop(unpacking.undo_floating)(lines, bits, room, 3, 16)
    assert bits[3:].tobytes() == stored[3:].tobytes()


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64"])
def test_differences_by_hand(dtype: str) -> None:
    """TIFF 6.0, section 14: differences to the sample before of the same band, wrapping around."""
    stored = numbers(12, dtype, (8, 30), 100)
    lines = stored.reshape(8, 10, 3).copy()
    lines[:, 1:] = np.diff(lines, axis=1)
    flat = lines.reshape(8, 30)
    loop(unpacking.undo_differences)(flat, 2, 8, 1, 30, 3)
    np.testing.assert_array_equal(flat[2:, 1::3], stored[2:, 1::3])


@pytest.mark.parametrize("rows", [16, 32])
@pytest.mark.parametrize("height", [64, 100, 16, 7])
@pytest.mark.parametrize("width", [64, 128, 90])
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_strips_are_read_as_with_rasterio_or_left_to_it(
    compression: str, width: int, height: int, rows: int, tmp_path: Path
) -> None:
    """Strips as wide as a tile might be; the last one is short, which a tile never is."""
    bands = numbers(5, "int16", (1, height, width))
    options: dict[str, Any] = {"compress": compression} if compression != "none" else {}
    options |= {"tiled": False, "blockysize": rows, "blockxsize": width}
    path = written(tmp_path / "file.tif", bands, **options)
    with rasterio.open(path) as file:
        tiles = tiles_of(file, 1)
    if tiles is None:
        return
    with closing(tiles):
        found = tiles.read(Window(0, 0, width, height))
    assert found is None or found.tobytes() == bands[0].tobytes()


REFUSED: dict[str, dict[str, Any]] = {
    "strips": {"tiled": False, "blockysize": 5, "blockxsize": None},
    "another compression": {"compress": "lzma"},
    "JPEG": {"compress": "jpeg", "blockysize": 32, "blockxsize": 32},
    "LERC": {"compress": "lerc"},
    "fewer bits": {"nbits": 7},
}


@pytest.mark.parametrize("options", REFUSED.values(), ids=list(REFUSED))
def test_what_is_not_plain_is_left_to_rasterio(options: dict[str, Any], tmp_path: Path) -> None:
    kept = {key: value for key, value in options.items() if value is not None}
    bands = np.clip(numbers(1, "uint8", (1, 70, 90)), 0, 127)
    form = {"driver": "GTiff", "count": 1, "height": 70, "width": 90, "dtype": "uint8", **PLACE}
    if "tiled" not in options:
        kept = {"tiled": True, "blockysize": 32, "blockxsize": 48} | kept
    path = tmp_path / "file.tif"
    with rasterio.open(path, "w", **form, **kept) as file:
        file.write(bands)
    assert refused(path)


@pytest.mark.parametrize("dtype", ["int64", "uint64", "complex64", "complex_int16"])
def test_numbers_the_engine_does_not_take_are_left_to_rasterio(dtype: str, tmp_path: Path) -> None:
    form = {"driver": "GTiff", "count": 1, "height": 32, "width": 48, "dtype": dtype, **PLACE}
    path = tmp_path / "file.tif"
    with rasterio.open(path, "w", **form, tiled=True, blockysize=32, blockxsize=48):
        pass
    assert refused(path)


def test_half_floats_are_left_to_rasterio(tmp_path: Path) -> None:
    bands = numbers(1, "float32", (1, 32, 48))
    assert refused(
        written(tmp_path / "file.tif", np.nan_to_num(bands, posinf=1, neginf=1), nbits=16)
    )


def test_other_formats_are_left_to_rasterio(tmp_path: Path) -> None:
    path = tmp_path / "file.bin"
    form = {"driver": "ENVI", "count": 1, "height": 32, "width": 48, "dtype": "uint8", **PLACE}
    with rasterio.open(path, "w", **form) as file:
        file.write(np.ones((1, 32, 48), np.uint8))
    assert refused(path)


def test_a_palette_is_only_a_palette(tmp_path: Path) -> None:
    path = written(tmp_path / "file.tif", numbers(1, "uint8", (1, 40, 60)), photometric="palette")
    with rasterio.open(path, "r+") as file:
        file.write_colormap(1, {n: (n, n, n, 255) for n in range(256)})
    with closing(opened(path)) as tiles:
        window = Window(0, 0, 60, 40)
        np.testing.assert_array_equal(tiles.read(window), by_rasterio(path, window))


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_tile_never_written_is_left_to_rasterio(compression: str, tmp_path: Path) -> None:
    path = tmp_path / "file.tif"
    form = {"driver": "GTiff", "count": 1, "height": 64, "width": 96, "dtype": "int16", **PLACE}
    options: dict[str, Any] = {"tiled": True, "blockysize": 32, "blockxsize": 48}
    options |= {"sparse_ok": True, "nodata": -5}
    if compression != "none":
        options["compress"] = compression
    with rasterio.open(path, "w", **form, **options) as file:
        file.write(np.full((1, 32, 48), 7, np.int16), window=Window(48, 0, 48, 32))
    with closing(opened(path)) as tiles:
        assert tiles.read(Window(0, 32, 48, 32)) is None
        assert tiles.lend(Window(0, 32, 48, 32)) is None
        assert tiles.read(Window(40, 0, 20, 20)) is None
        np.testing.assert_array_equal(tiles.read(Window(48, 0, 48, 32)), np.full((32, 48), 7))


def test_a_window_outside_is_a_mistake(tmp_path: Path) -> None:
    with closing(opened(written(tmp_path / "file.tif", numbers(1, "int16", (1, 40, 60))))) as tiles:
        for window in (Window(0, 0, 61, 40), Window(-1, 0, 5, 5), Window(0, 39, 1, 2)):
            with pytest.raises(ValueError, match=r"is not within \(40, 60\)"):
                tiles.read(window)


def spans(path: Path) -> list[tuple[int, int]]:
    """Where the tiles of a file with two by two of them are: first byte and number of bytes."""
    with rasterio.open(path) as file:

        def said(what: str, x: int, y: int) -> int:
            return int(file.get_tag_item(f"BLOCK_{what}_{x}_{y}", "TIFF", bidx=1))

        return [(said("OFFSET", x, y), said("SIZE", x, y)) for y in (0, 1) for x in (0, 1)]


def both_ways(path: Path, tiles: Tiles) -> Iterator[tuple[NDArray[Any] | None, bytes | None]]:
    """Every tile as decoded here and by rasterio; None where one of them raises."""
    for top in (0, 32):
        for left in (0, 48):
            window = Window(left, top, 48, 32)
            theirs: bytes | None = None
            with suppress(RasterioError):
                theirs = by_rasterio(path, window).tobytes()
            ours: NDArray[Any] | None = None
            with suppress(InputError):
                ours = tiles.read(window)
            yield ours, theirs


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("predictor", [1, 2])
def test_damage_is_as_loud_as_with_rasterio(
    compression: str, predictor: int, tmp_path: Path, data: st.DataObject
) -> None:
    """Where rasterio raises nothing is decoded here; what is decoded is what rasterio decodes."""
    options = {} if compression == "none" else {"compress": compression, "predictor": predictor}
    path = written(tmp_path / "file.tif", numbers(5, "int16", (1, 64, 96)), **options)
    with closing(opened(path)) as tiles:
        content = bytearray(path.read_bytes())
        start, size = data.draw(st.sampled_from(spans(path)))
        for _ in range(data.draw(st.integers(1, 3))):
            content[start + data.draw(st.integers(0, size - 1))] ^= data.draw(st.integers(1, 255))
        path.write_bytes(content)
        for ours, theirs in both_ways(path, tiles):
            assert ours is None or ours.tobytes() == theirs


@pytest.mark.parametrize("library", [True, False])
def test_every_changed_byte_of_a_deflated_tile_is_noticed(
    library: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GDAL does not look at the checksum, and reads some of these, wrongly."""
    if not library:
        monkeypatch.setattr(unpacking, "_imagecodecs", lambda: None)
    path = written(tmp_path / "file.tif", numbers(5, "int16", (1, 64, 96)), compress="deflate")
    content, (start, size) = path.read_bytes(), spans(path)[0]
    window = Window(0, 0, 48, 32)
    with closing(opened(path)) as tiles:
        for at in range(start, start + size, 5):
            path.write_bytes(content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :])
            with pytest.raises(InputError) as caught:
                tiles.read(window)
            (problem,) = caught.value.problems
            assert problem.code == "E101"
            assert "row 1, column 1: DEFLATE data are damaged (" in str(problem.fields["why"])


def test_a_tile_that_is_no_lzw_in_a_file_that_is_is_damaged(tmp_path: Path) -> None:
    path = written(tmp_path / "file.tif", numbers(5, "int16", (1, 64, 96)), compress="lzw")
    content, (start, size) = bytearray(path.read_bytes()), spans(path)[0]
    with closing(opened(path)) as tiles:
        content[start : start + size] = bytes(size)
        path.write_bytes(content)
        with pytest.raises(InputError) as caught:
            tiles.read(Window(0, 0, 48, 32))
    (problem,) = caught.value.problems
    assert problem.text().endswith(
        "the block that begins at row 1, column 1: an LZW tile is damaged"
    )
    assert problem.text("zh").endswith("读取：从第 1 行第 1 列开始的分块：LZW 分块已损坏")


def test_a_deflated_tile_without_its_checksum_is_left_to_rasterio() -> None:
    plain = bytes(range(200)) * 4
    packed = np.frombuffer(zlib.compress(plain), np.uint8)
    assert unpacking.damage("DEFLATE", packed[:-4], 800) is None
    assert unpacking.damage("DEFLATE", packed, 800) is None
    for wrong, size in ((packed, 799), (packed[:-30], 800)):
        found = unpacking.damage("DEFLATE", wrong, size)
        assert found
        assert "too many or too few bytes" in found[0]
    assert unpacking.damage("ZSTD", packed[:-30], 800) is None


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_file_cut_short_is_left_to_rasterio(compression: str, tmp_path: Path) -> None:
    options = {} if compression == "none" else {"compress": compression}
    path = written(tmp_path / "file.tif", numbers(5, "int16", (1, 64, 96)), **options)
    start, size = max(spans(path))
    with closing(opened(path)) as tiles:
        os.truncate(path, start + size - 1)
        assert tiles.read(Window(48, 32, 48, 32)) is None
        assert tiles.read(Window(0, 0, 48, 32)) is not None


def test_a_richest_tile_that_differs_from_rasterio_s_leaves_the_file_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "file.tif", numbers(5, "int16", (1, 64, 96)), compress="lzw")
    described = decoding._described

    def mistaken(file: Any, band: int) -> Tiles | None:
        tiles = described(file, band)
        assert tiles is not None
        return Tiles(**(vars(tiles) | {"predictor": 2}))

    monkeypatch.setattr(decoding, "_described", mistaken)
    assert refused(path)


def test_lzw_that_is_damaged_where_it_is_richest_is_damaged(tmp_path: Path) -> None:
    """Other tiles say that it is no dialect; of a file without any nobody can say."""
    path = written(tmp_path / "file.tif", numbers(5, "int16", (1, 64, 96)), compress="lzw")
    content = bytearray(path.read_bytes())
    for start, size in sorted(spans(path), key=lambda span: -span[1]):
        content[start : start + size // 2] = bytes(size // 2)
        path.write_bytes(content)
        if (start, size) == min(spans(path), key=lambda span: span[1]):
            break
        with rasterio.open(path) as file, pytest.raises(InputError, match="LZW tile is damaged"):
            tiles_of(file, 1)
    assert refused(path)


def test_without_the_library_only_its_compressions_are_left_to_rasterio(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "_imagecodecs", lambda: None)
    for compression, left in (("lzw", False), ("deflate", False), ("zstd", True)):
        bands = numbers(5, "int16", (1, 64, 96))
        path = written(tmp_path / f"{compression}.tif", bands, compress=compression)
        if left:
            assert refused(path)
        else:
            with closing(opened(path)) as tiles:
                np.testing.assert_array_equal(tiles.read(Window(0, 0, 96, 64)), bands[0])


def test_uncompiled_everything_is_left_to_rasterio(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "file.tif", numbers(5, "int16", (1, 64, 96)))
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    assert refused(path)


def test_a_system_that_cannot_read_at_a_position_seeks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "preadv", raising=False)
    bands = numbers(5, "int16", (1, 64, 96))
    with closing(opened(written(tmp_path / "file.tif", bands, compress="lzw"))) as tiles:
        np.testing.assert_array_equal(tiles.read(Window(0, 0, 96, 64)), bands[0])


def test_a_file_that_cannot_be_read_is_left_to_rasterio(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> int:
        raise OSError(5, "Input/output error")

    path = written(tmp_path / "file.tif", numbers(5, "int16", (1, 64, 96)))
    with closing(opened(path)) as tiles:
        monkeypatch.setattr(os, "preadv", fails, raising=False)
        assert tiles.read(Window(0, 0, 96, 64)) is None
    monkeypatch.setattr(decoding, "FileIO", fails)
    assert refused(path)


def test_tiles_that_would_take_much_memory_are_left_to_rasterio(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "file.tif", numbers(5, "int16", (1, 64, 96)))
    monkeypatch.setattr(decoding, "LARGEST", 32 * 48 * 2 - 1)
    assert refused(path)


def test_small_parts_of_tiles_suit_gdal_better(tmp_path: Path) -> None:
    """Tiles of 32 x 48; it keeps what it decoded, this room does not."""
    with closing(opened(written(tmp_path / "file.tif", numbers(5, "int16", (1, 64, 96))))) as tiles:
        assert tiles.suits(Window(48, 32, 48, 32))
        assert tiles.suits(Window(0, 0, 96, 64))
        assert tiles.suits(Window(48, 0, 48, 16))
        assert not tiles.suits(Window(48, 0, 48, 15))
        assert not tiles.suits(Window(24, 16, 47, 32))
    with closing(opened(written(tmp_path / "tiny.tif", numbers(5, "int16", (1, 9, 9))))) as tiles:
        assert tiles.suits(Window(0, 0, 9, 9))


def test_of_a_tile_at_an_edge_only_what_is_in_the_raster_counts(tmp_path: Path) -> None:
    """70 x 100 pixels in tiles of 32 x 48: 6 rows and 4 columns are left for the last ones."""
    with closing(
        opened(written(tmp_path / "file.tif", numbers(5, "int16", (1, 70, 100))))
    ) as tiles:
        assert tiles.suits(Window(96, 0, 4, 32)), "the whole of a tile at the right"
        assert tiles.suits(Window(0, 64, 48, 6)), "of one at the bottom"
        assert tiles.suits(Window(96, 64, 4, 6)), "of that in the corner"
        assert tiles.suits(Window(96, 64, 2, 6))
        assert not tiles.suits(Window(96, 64, 1, 6))
        assert not tiles.suits(Window(72, 0, 27, 15))
        for top in range(0, 70, 48):
            for left in range(0, 100, 48):
                assert tiles.suits(Window(left, top, min(48, 100 - left), min(48, 70 - top)))


def test_a_window_of_nothing_has_nothing(tmp_path: Path) -> None:
    with closing(opened(written(tmp_path / "file.tif", numbers(5, "int16", (1, 64, 96))))) as tiles:
        for found in (tiles.read(Window(3, 4, 0, 5)), tiles.lend(Window(3, 4, 0, 5))):
            assert found is not None
            assert found.shape == (5, 0)


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_threads_share_tiles(compression: str, tmp_path: Path) -> None:
    options = {} if compression == "none" else {"compress": compression, "predictor": 2}
    bands = numbers(9, "int32", (1, 256, 384), 10**6)
    wrong: list[Window] = []
    with closing(opened(written(tmp_path / "file.tif", bands, **options))) as tiles:

        def work(seed: int) -> None:
            random = np.random.default_rng(seed)
            for _ in range(60):
                top, left = (int(n) for n in random.integers(0, (200, 300)))
                window = Window(left, top, 80, 50)
                read = tiles.read(window)
                if read is None or (read != bands[0, top : top + 50, left : left + 80]).any():
                    wrong.append(window)

        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_a_file_at_rest_is_read_both_ways_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And again when it has changed, or where its last change is not over for sure."""
    path, read, inner = tmp_path / "a.tif", [], decoding._agreed

    def agreed(*given: Any) -> bool:
        read.append(given)
        return inner(*given)

    monkeypatch.setattr(decoding, "_agreed", agreed)
    written(path, numbers(1, "int16", (1, 64, 96)))
    for wanted, rest in ((1, 10**18), (2, 10**18), (3, -1), (3, -1)):
        monkeypatch.setattr(decoding, "AT_REST", rest)
        with closing(opened(path)):
            assert len(read) == wanted
    os.utime(path, ns=(0, 0))
    with closing(opened(path)):
        assert len(read) == 4
