"""Several accounts in one pass: the same results, and what they share is decoded once."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import small
from rasterio.transform import from_origin

import gep
from gep.errors import InputError, Interrupted
from gep.rasters import Reader
from gep.run import accumulate
from gep.together import Pass


def years(folder: Path) -> list[gep.Account]:
    """Two years of one place, beside each other: other rain, all else shared."""
    first, second = folder / "gep.toml", folder / "next.toml"
    if first.is_file():
        return [gep.open(first), gep.open(second)]
    small.write(folder)
    wetter = small.arrays()["precipitation"] + 100
    small.write_raster(folder / "wetter.tif", wetter, nodata=small.NODATA)
    text = first.read_text("utf8").replace("precipitation.tif", "wetter.tif")
    second.write_text(text.replace("year = 2021", "year = 2022"), "utf8")
    return [gep.open(first), gep.open(second)]


def core(result: gep.Result) -> dict[str, Any]:
    return result.manifest["core"]


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> Counter[tuple[str, Any]]:
    """How often every window of every file was decoded."""
    counts: Counter[tuple[str, Any]] = Counter()
    read = Reader._read

    def counted(self: Reader, number: int, chosen: Any, window: Any) -> Any:
        counts[self._layers[number].path.name, window] += 1
        return read(self, number, chosen, window)

    monkeypatch.setattr(Reader, "_read", counted)
    return counts


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_results_are_those_of_each_alone(tmp_path: Path, threads: int) -> None:
    together = gep.run_together(years(tmp_path), threads=threads, tile=16)
    alone = [account.run(tile=16) for account in years(tmp_path)]
    assert [core(result) for result in together] == [core(result) for result in alone]
    volumes = [result.counties["regulating"] for result in together]
    assert (volumes[1] > volumes[0]).sum() == 5, "three counties, city and province; no hole"


def test_a_shared_layer_is_decoded_once(tmp_path: Path, decoded: Counter[tuple[str, Any]]) -> None:
    plans = [account.check().plan for account in years(tmp_path)]
    decoded.clear()
    shared = Pass(plans, 2)
    for number, plan in enumerate(plans):
        accumulate(plan, 1, size=16, by=shared.of(number))
    assert {name for name, _ in decoded} > {"ecosystem.tif", "precipitation.tif", "wetter.tif"}
    assert set(decoded.values()) == {1}


def test_another_grid_runs_by_itself(tmp_path: Path) -> None:
    """The same place in pixels of half the side."""
    accounts = years(tmp_path / "one")
    other = small.write(tmp_path / "two")
    for path in other.parent.glob("*.tif"):
        with rasterio.open(path) as file:
            array, nodata = file.read(1), file.nodata
        finer = np.repeat(np.repeat(array, 2, 0), 2, 1)
        half = small.PIXEL / 2
        transform = from_origin(small.WEST, small.NORTH, half, half)
        small.write_raster(path, finer, nodata=nodata, transform=transform)
    found = gep.run_together([*accounts, gep.open(other)])
    assert core(found[2]) == core(gep.open(other).run())


def test_all_are_checked_before_any_is_computed(
    tmp_path: Path, decoded: Counter[tuple[str, Any]]
) -> None:
    good = years(tmp_path / "good")[0]
    bad = gep.open(small.write(tmp_path / "bad", change={"rasters.precipitation.unit": "kg"}))
    with pytest.raises(InputError, match="kg") as raised:
        gep.run_together([good, bad], tile=16)
    assert raised.value.__notes__ == [str(bad.path)]
    assert {window.width for _, window in decoded} == {small.COLUMNS}, "what a check looks at"


def test_tiles_that_are_done_are_kept_for_each(tmp_path: Path) -> None:
    outputs = [tmp_path / "a", tmp_path / "b"]
    first = gep.run_together(years(tmp_path / "in"), tile=16, outputs=outputs)
    again = gep.run_together(years(tmp_path / "in"), tile=16, outputs=outputs)
    for one, two in zip(first, again, strict=True):
        assert one.envelope["tiles"]["resumed"] == 0
        assert two.envelope["tiles"]["resumed"] == two.envelope["tiles"]["all"] > 1
        assert core(one) == core(two)


def test_progress_counts_the_tiles_of_all(tmp_path: Path) -> None:
    """Twelve tiles each; both years pass at once, so the count never stands still or goes back."""
    shown: list[tuple[int, int]] = []
    gep.run_together(years(tmp_path), tile=16, threads=2, progress=lambda *said: shown.append(said))
    assert shown == [(count, 24) for count in range(1, 25)]


def test_a_year_that_is_done_is_not_computed_with_the_next(
    tmp_path: Path, decoded: Counter[tuple[str, Any]]
) -> None:
    outputs = [tmp_path / "a", tmp_path / "b"]
    years(tmp_path / "in")[0].run(tile=16, output=outputs[0])
    decoded.clear()
    shown: list[tuple[int, int]] = []
    found = gep.run_together(
        years(tmp_path / "in"),
        tile=16,
        outputs=outputs,
        progress=lambda *said: shown.append(said),
    )
    assert [each.envelope["tiles"]["resumed"] for each in found] == [12, 0]
    whole = {name for name, window in decoded if (window.width, window.height) == (16, 16)}
    assert "wetter.tif" in whole
    assert "precipitation.tif" not in whole
    assert shown == [(count, 24) for count in range(12, 25)]


def test_an_interruption_keeps_the_tiles_of_every_account(tmp_path: Path) -> None:
    outputs, shown = [tmp_path / "a", tmp_path / "b"], list[int]()

    def stop(done: int, total: int) -> None:
        shown.append(done)
        if len(shown) == 9:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as raised:
        gep.run_together(years(tmp_path / "in"), tile=16, threads=1, outputs=outputs, progress=stop)
    counts = [problem.fields["count"] for problem in raised.value.problems]
    assert [problem.code for problem in raised.value.problems] == ["W593", "W593"]
    assert all(4 <= count < 12 for count in counts)
    again = gep.run_together(years(tmp_path / "in"), tile=16, outputs=outputs)
    assert [each.envelope["tiles"]["resumed"] for each in again] == counts
    alone = [account.run(tile=16) for account in years(tmp_path / "in")]
    assert [core(result) for result in again] == [core(result) for result in alone]


def test_maps_are_those_asked_for(tmp_path: Path) -> None:
    found = gep.run_together(years(tmp_path), maps=["total"])
    assert [result.maps for result in found] == [("total.value",)] * 2
