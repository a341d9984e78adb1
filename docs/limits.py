"""What limits a target that is missed, and what was tried: one sentence each, for the page."""

Words = tuple[str, str]
LIMITS: dict[str, Words] = {
    "P1a": (
        (
            "Both sides decode with GDAL, so the target leaves a tenth of that for places, "
            "staging and sums; [sorting the pixels by "
            "cell](decisions/0010-pixels-sorted-by-cell.md) brought these from 45 to 25 ns of "
            "CPU per pixel beside 52 of decoding."
        ),
        (
            "两边均由 GDAL 解码，目标只给归属、整理与求和留下十分之一；按县与生态系统[排序像元]"
            "(decisions/0010-pixels-sorted-by-cell.md)已使其从每像元 45 纳秒降至 25 纳秒（解码"
            "为 52）。"
        ),
    ),
    "P1b": (
        (
            "With direct decoding a tile of twelve services takes 46 ns of CPU a pixel (decoding "
            "22, bringing layers into the order of the cells 10, sorting 5, sums 4, classes 2, "
            "places 1) where rasterio needs 52 to decode alone. Tried: pixel by pixel, runs of "
            "equal pixels, sorting some rows at a time, staging inside the predictor's loop "
            "([0010](decisions/0010-pixels-sorted-by-cell.md), "
            "[0012](decisions/0012-tiles-decoded-here.md)). The whole account adds a second of "
            "checks, digests of every input, prices and identities, whatever the size."
        ),
        (
            "直接解码时，十二项服务每像元 46 纳秒（解码 22、按单元排列 10、排序 5、求和 4、类"
            "型 2、归属 1），仅 rasterio 解码即 52 纳秒。试过：逐像元、等值游程、分行排序、在预"
            "测器循环中整理（记录 0010、0012）。完整核算另有约一秒的检查、摘要、计价与恒等式，"
            "与范围大小无关。"
        ),
    ),
    "P2": (
        (
            "Coarse layers are hardly decoded; they are interpolated at every pixel of the "
            "account instead, and sorted and summed like all others."
        ),
        "粗分辨率图层几乎无需解码，但要在每个像元上插值，整理与求和与其他图层相同。",
    ),
    "P3": (
        (
            "Python with numba, GDAL and the compiled loop is most of it; every thread adds "
            "one tile of every layer, the account its tables by county, class and indicator."
        ),
        (
            "大部分为 Python、numba、GDAL 与已编译的循环；每个线程另需各图层一块，核算另需按县"
            "、类型与指标的表。"
        ),
    ),
    "P4": (
        (
            "The other program decodes the same files, and so do we: where its time is less "
            "than the target times that of decoding alone, no loop could reach it; ours also "
            "checks, hashes, prices and verifies."
        ),
        (
            "对方与本项目解码相同文件：若对方用时不足“目标倍数 × 单纯解码用时”，任何循环都达"
            "不到；本项目另含检查、摘要、计价与校验。"
        ),
    ),
    "P5": (
        (
            "Rounding, summing and counting are "
            "[vectorised](decisions/0010-pixels-sorted-by-cell.md); the plain sums here may be "
            "added in any order, the quickest there are; a kept tile is encoded, hashed and "
            "written."
        ),
        (
            "取整、求和与计数均已[向量化](decisions/0010-pixels-sorted-by-cell.md)；此处普通求"
            "和允许任意次序，是最快的写法；保存一块需编码、摘要与写盘。"
        ),
    ),
    "P6": (
        (
            "A map is computed a second time, written, read back and held against the tables; "
            "rasterio only writes."
        ),
        "每幅图需再次计算、写出、读回并与表核对；rasterio 只写出。",
    ),
    "P7": (
        (
            "Polygons, statistics, prices and identities are per county, whatever the pixels "
            "are; tiles alone meet more counties each, and have more cells to begin and end."
        ),
        "面、统计表、价格与恒等式均按县进行，与像元无关；仅就分块而言，县越多单元越碎。",
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
            "Importing numba and rasterio is most of a next start, and numba compiling the "
            "loop on one thread most of a first one; both are put off until they are needed, "
            "and what was compiled is kept on disk."
        ),
        (
            "再次启动多用于导入 numba 与 rasterio，首次启动多用于 numba 单线程编译；二者均推迟"
            "到需要时，编译结果留在磁盘。"
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
