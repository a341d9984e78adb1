"""What `gep run -n` shows: a forecast in either language, or as plain data."""

from typing import Any

from gep.forecast import Forecast
from gep.terminal import ruled

TEXTS = {
    "en": {
        "layer": "layer",
        "file": "file",
        "size": "MB",
        "pixels": "rows × columns",
        "resampling": "resampling",
        "unmade": "to be prepared",
        "as_is": "none",
        "tiles": "tiles: {tiles} in all, {done} done, {todo} to do",
        "why": "why: {reasons}",
        "nothing": "every tile is done: they are only summed",
        "maps": "maps: {maps} at most",
        "memory": "memory: about {memory} MB with {threads} threads",
        "disk": "disk: {disk} MB at most in {folder}, {free} GB are free",
        "short": "disk: {disk} MB at most in {folder}, but only {free} GB are free",
        "time": "time: about {total} s {without}: start and check {checked}, digests {hashed},"
        " compiling {compiled}, tiles {seconds} at {pace} ns per pixel ({measured}),"
        " tables {tabled}",
        "maps_out": "without maps",
        "made_out": "without maps and what is prepared",
        "measured": "as the last run into this folder",
        "assumed": "assumed; no run into this folder has shown it",
        "dry": "nothing was computed and nothing written",
        ";": "; ",
    },
    "zh": {
        "layer": "图层",
        "file": "文件",
        "size": "MB",
        "pixels": "行 × 列",
        "resampling": "重采样",
        "unmade": "待推算",
        "as_is": "无",
        "tiles": "分块：共 {tiles}，已完成 {done}，待计算 {todo}",
        "why": "原因：{reasons}",
        "nothing": "所有分块均已完成，只需汇总",
        "maps": "地图：最多 {maps} 幅",
        "memory": "内存：约 {memory} MB（{threads} 个线程）",
        "disk": "磁盘：{folder} 最多需要 {disk} MB，可用 {free} GB",
        "short": "磁盘：{folder} 最多需要 {disk} MB，但只有 {free} GB 可用",
        "time": "时间：约 {total} 秒（{without}）：启动与检查 {checked}，文件校验 {hashed}，"
        "编译 {compiled}，分块 {seconds}（每像元 {pace} 纳秒，{measured}），表格 {tabled}",
        "maps_out": "不含地图",
        "made_out": "不含地图和推算",
        "measured": "同该文件夹上一次运行",
        "assumed": "假定值；该文件夹尚无运行可依据",
        "dry": "没有计算，也没有写入任何内容",
        ";": "；",
    },
}
TIMES = ("total", "checked", "hashed", "compiled", "seconds", "tabled")


def lines(found: Forecast, language: str) -> list[str]:
    """Forecast as people read it: layers, tiles and why, maps, memory, disk, time."""
    words = TEXTS[language]
    titles = [reason.say(language) for reason in found.reasons]
    enough = found.disk <= found.free
    fields = {
        **{name: getattr(found, name) for name in ("tiles", "done", "todo", "maps", "threads")},
        "reasons": words[";"].join(titles),
        "memory": round(found.memory / 1e6),
        "disk": f"{found.disk / 1e6:,.1f}",
        "free": f"{found.free / 1e9:,.1f}",
        "folder": found.folder,
        **{name: _seconds(getattr(found, name)) for name in TIMES},
        "without": words["maps_out" if all(layer.bytes for layer in found.layers) else "made_out"],
        "pace": f"{found.pace:.0f}",
        "measured": words["measured" if found.measured else "assumed"],
    }
    names = ["tiles", "why" if found.todo else "nothing", *(["maps"] if found.maps else [])]
    names += ["memory", "disk" if enough else "short", "time", "dry"]
    return [layers(found, language), "", *(words[name].format(**fields) for name in names)]


def _seconds(seconds: float) -> str:
    return f"{seconds:,.1f}" if seconds < 100 else f"{seconds:,.0f}"


def layers(found: Forecast, language: str) -> str:
    """Layers as they are read: file, size, rows and columns of their own, resampling."""
    words = TEXTS[language]
    rows = [[words[name] for name in ("layer", "file", "size", "pixels", "resampling")]]
    for layer in found.layers:
        size = f"{layer.bytes / 1e6:,.1f}" if layer.bytes else "—"
        pixels = f"{layer.rows} × {layer.columns}" if layer.bytes else words["unmade"]
        rows.append([layer.name, layer.file, size, pixels, layer.resampling or words["as_is"]])
    return ruled(rows, frozenset({2, 3}), last=False)


def as_data(found: Forecast) -> dict[str, Any]:
    """Forecast as plain data, reasons in both languages."""
    data = vars(found) | {"folder": str(found.folder), "todo": found.todo, "total": found.total}
    data["reasons"] = [reason._asdict() for reason in found.reasons]
    data["layers"] = [dict(vars(layer)) for layer in found.layers]
    return data
