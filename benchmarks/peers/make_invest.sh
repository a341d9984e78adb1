#!/usr/bin/env bash
# An environment with InVEST, apart from the project: benchmarks/peers/make_invest.sh FOLDER
#
# Needs a C++ compiler and GDAL's library with its headers (Debian: build-essential libgdal-dev),
# and Python 3.11. Everything else comes from the package index. Takes some three minutes. The Python
# bindings of GDAL must have the version of the library, so theirs is not fixed here; all others are,
# in invest.txt.
# InVEST is Apache-2.0; it is only run beside the engine, never installed with it.
set -euo pipefail
folder=${1:?folder of the environment to make}

"${PYTHON:-python3}" -m venv "$folder"
versions=$(cd "$(dirname "$0")" && pwd)/invest.txt
pip() { "$folder/bin/python" -m pip --disable-pip-version-check install -q -c "$versions" "$@"; }

# Built without isolation: the bindings need numpy at hand, pygeoprocessing fails with Cython 3.1.
pip 'setuptools>=77,<81' wheel 'numpy<3' 'cython<3.1' setuptools_scm babel poetry poetry_dynamic_versioning \
    scipy rtree shapely pyproj pandas
pip --no-build-isolation --no-cache-dir "gdal[numpy]==$(gdal-config --version)"
pip --no-build-isolation pygeoprocessing==2.4.11
# Its build calls pybabel.
PATH="$(cd "$folder" && pwd)/bin:$PATH" pip --no-build-isolation natcap.invest==3.20.2

"$folder/bin/python" -c 'import natcap.invest, osgeo.gdal; print("InVEST", natcap.invest.__version__, "GDAL", osgeo.gdal.__version__)'
