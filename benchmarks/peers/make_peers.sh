#!/usr/bin/env bash
# An environment with what people use instead, apart from the project: benchmarks/peers/make_peers.sh FOLDER
#
# numpy, rasterio, xarray, dask, flox, exactextract, rasterstats, in the versions of peers.txt, from
# the package index; a minute.
# pygeoprocessing and InVEST need GDAL's own bindings: make_invest.sh makes theirs.
set -euo pipefail
folder=${1:?folder of the environment to make}

"${PYTHON:-python3}" -m venv "$folder"
"$folder/bin/python" -m pip --disable-pip-version-check install -q \
    -r "$(dirname "$0")/peers.txt"

"$folder/bin/python" -c 'import dask, exactextract, flox, rasterio, rasterstats, rioxarray, xarray; print("dask", dask.__version__, "flox", flox.__version__)'
