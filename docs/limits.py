"""What limits a target that is missed, and what was tried: a few sentences each, for the page."""

Words = tuple[str, str]
LIMITS: dict[str, Words] = {
    "P1a": (
        (
            "Both sides decode with GDAL, so the target leaves a tenth of its 52 ns of CPU a "
            "pixel for all else. What is left beside it is 10 to 15: sorting by cell 3, bringing "
            "13 layers into that order 5, sums 4 to 6, places 1. Tried: gathering by runs (1.2 "
            "ns a layer, pixel by pixel 0.35), buffers kept per thread, chunks of other sizes, "
            "class numbers per run ([0010](decisions/0010-pixels-sorted-by-cell.md)). The whole "
            "account adds SHA-256 of every input (2.6 GB: 0.8 s, 0.11 of the floor), the check "
            "(0.4 s) and tables, prices and identities (0.12 s)."
        ),
        (
            "两边均由 GDAL 解码（每像元 52 纳秒），目标只给其余工作留下十分之一；其余现为 10 至"
            " 15 纳秒：按单元排序 3、13 层按序取数 5、求和 4 至 6、归属 1。试过：按游程取数（每层"
            " 1.2 纳秒，逐像元为 0.35）、每线程常驻缓冲、其他块长、按游程记类型（记录 0010）。完"
            "整核算另有各输入的 SHA-256（2.6 GB，0.8 秒，即 0.11）、检查 0.4 秒、计价与恒等式"
            " 0.12 秒。"
        ),
    ),
    "P1b": (
        (
            "Of 37 to 39 ns of CPU a pixel, 16 to 17 are the ZSTD library alone, 6 to 7 reading "
            "and undoing predictors, the rest as under P1a. Tried: predictors by log-steps (0.28 "
            "ns, four rows at a time 0.16), staging inside the predictor's loop, mapping files "
            "instead of reading them (a file cut short would kill the process), a second reader "
            "that opens nothing (9 ms of a run), less Python per tile (0.3 %) "
            "([0012](decisions/0012-tiles-decoded-here.md)). Sums of linear indicators by cell "
            "without a kernel would save some 3 ns and give other integers: amounts are rounded "
            "pixel by pixel. At 4,096² half a second of work that does not grow with the raster "
            "stands beside 0.49 of decoding."
        ),
        (
            "每像元 37 至 39 纳秒中，ZSTD 库占 16 至 17，读盘与还原预测器 6 至 7，其余同 P1a。试"
            "过：对数步还原（0.28，四行并行为 0.16）、在预测器循环中整理、映射文件代替读取（文件"
            "被截短会使进程崩溃）、第二个读取器不再打开文件（每次运行 9 毫秒）、减少每块的 Python"
            "（0.3 %）（记录 0012）。线性指标按单元求和可省约 3 纳秒，但金额逐像元取整，整数会不"
            "同。4,096² 时另有约半秒与栅格大小无关的工作，而解码仅 0.49 秒。"
        ),
    ),
    "P2": (
        (
            "Interpolation takes 2.7 ns for 11 layers; what is left are the layers on the "
            "account grid, and sorting, gathering and summing at every pixel, as for all others "
            "(10 to 14 ns): the target asks for 23 in all. Tried: strips decoded once for all "
            "threads, not by GDAL (kept), coarse layers per thread, the ways of P1."
        ),
        (
            "11 层内插只需 2.7 纳秒；其余是核算格网上的图层，以及与其他图层相同的逐像元排序、取数"
            "与求和（10 至 14 纳秒），而目标共 23 纳秒。试过：条带由各线程共用、不经 GDAL 解码（"
            "已采用），粗层每线程一份，及 P1 所列各法。"
        ),
    ),
    "P3": (
        (
            "Both stay below 450 MB. At native resolution parts of the coarse layers, held for "
            "all threads, grow with the account up to their limit (17 MB), and the check leaves "
            "some 20 MB that glibc keeps. Tried: GDAL's cache at 1, 4 and 16 MB (less than 10 MB "
            "more, and striped files would be decoded again), one malloc arena, thresholds of "
            "malloc (half as fast), coarse parts per thread (25 MB more)."
        ),
        (
            "两者均低于 450 MB。原分辨率下，各线程共用的粗分辨率部分随范围增至上限（17 MB），检查"
            "之后另有约 20 MB 由 glibc 保留。试过：GDAL 缓存 1、4、16 MB（再省不到 10 MB，条带文"
            "件却要重复解码）、单一 malloc 区、malloc 阈值（慢一半）、粗层每线程一份（多 25 MB）"
            "。"
        ),
    ),
    "P4": (
        (
            "The other program decodes the same files, and so do we: where its time is less than "
            "the target times that of decoding alone, no loop could reach it. Ours is the whole "
            "account: it also checks, hashes every input, counts what is missing, prices and "
            "verifies, 0.4 s of 0.75 at 4,096²."
        ),
        (
            "对方与本项目解码相同文件：若对方用时不足“目标倍数 × 单纯解码用时”，任何循环都达不到"
            "。本项目计入完整核算：检查、各输入摘要、缺失计数、计价与校验，4,096² 时占 0.75 秒中"
            "的 0.4 秒。"
        ),
    ),
    "P5": (
        (
            "Sums and counts cost 0 to 3 %. The ledger does: some 30 ms of opening, sealing and "
            "closing whatever the size, and 0.24 ms a tile. Tried: one transaction for opening "
            "(12.2 to 11.8 ms), fewer looks at the files of a tile (4.8 to 4.4 ms of 64 tiles), "
            "versions of libraries kept (a change would be missed). Tiles have become faster, so "
            "the same ledger weighs more than before (1.06)."
        ),
        (
            "求和与计数只占 0 至 3 %。台账另有：打开、封存与关闭约 30 毫秒（与大小无关），每块"
            " 0.24 毫秒。试过：打开合为一个事务（12.2 至 11.8 毫秒）、少看文件（64 块由 4.8 至"
            " 4.4 毫秒）、缓存库版本（会漏掉变化）。分块本身变快，同一台账的占比因此高于先前（"
            "1.06）。"
        ),
    ),
    "P6": (
        (
            "A map is computed a second time, written, read back and held against the tables; "
            "rasterio only writes ([0014](decisions/0014-maps-tile-by-tile.md))."
        ),
        "每幅图需再次计算、写出、读回并与表核对；rasterio 只写出（记录 0014）。",
    ),
    "P7": (
        (
            "Tiles alone meet more counties each: more cells to begin and end, and partials to "
            "add (1.8 against 0.3 ns a pixel; a quarter of that was taken off). The whole "
            "account has 209,000 leaves: text of the tables and reading it back, columns, rules, "
            "in Python. Tables are written as they are made, prices and variants computed once, "
            "polygons compared in one call: 14.7 to 5.7 s. Tried: no collector of garbage (13.8 "
            "to 13.2). Lines as arrays of integers would be the next step."
        ),
        (
            "仅就分块而言，每块的县更多：单元更碎，累加更多（每像元 1.8 对 0.3 纳秒，已减四分之一"
            "）。完整核算有 20.9 万个最细单元，表的文本及其读回、列与规则均在 Python 中。表边算边"
            "写，价格与变体只算一次，面一次比较：14.7 秒降至 5.7 秒。试过关闭垃圾回收（13.8 至 "
            "13.2）。下一步须把各行改为整数数组。"
        ),
    ),
    "P8": (
        (
            "Every worker opens and plans the account for itself; the larger the province is, "
            "the less that weighs."
        ),
        "各工作进程均自行打开并规划核算；范围越大占比越小。",
    ),
    "P9": (
        "A tile in hand when the process is killed is computed again.",
        "强制终止时正在计算的块需重算。",
    ),
    "P10": (
        (
            "A next start imports numba and its registries (0.25 s), pandas (0.1), gep (0.09), "
            "pint (0.06), opens and plans the account (0.2) and looks at a sample of its pixels "
            "(0.2): 1.1 s. Tried: no collector of garbage meanwhile (kept, a tenth), polygons "
            "without geopandas (pyogrio imports it all the same), a higher threshold of the "
            "collector (0.04 s). Less would need units without pint and tables without pandas "
            "([0015](decisions/0015-compiled-ahead.md))."
        ),
        (
            "再次启动需导入 numba 及其注册表（0.25 秒）、pandas（0.1）、gep（0.09）、pint（0.06）"
            "，打开并规划核算（0.2），查看像元样本（0.2）。试过：其间停用垃圾回收（已采用，省一成"
            "）、不用 geopandas 读面（pyogrio 仍会导入）、提高回收阈值（0.04 秒）。再快须弃用"
            " pint 与 pandas（记录 0015）。"
        ),
    ),
    "P11": (
        (
            "Money is rounded to cents by county and indicator, exactly; the bare products of "
            "floats, which stand beside it, do not."
        ),
        "金额按县与指标精确取整到分；并列的浮点乘积则不取整。",
    ),
    "P12": (
        "Time follows from P1 on this machine, memory from P3.",
        "本机用时取决于 P1，内存取决于 P3。",
    ),
}
"""By name of the target; shown where one of that name is not kept."""
