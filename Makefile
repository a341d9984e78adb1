# gep. The two commands that matter: `make demo` and `make test`. `make help` lists the rest.

PYTHON ?= python3
UV     ?= uv
VENV   := .venv
BIN    := $(VENV)/bin

# What the second, uncompiled run of the tests covers (NUMBA_DISABLE_JIT=1).
PYTHON_TESTS := tests/test_services.py tests/test_fuse.py tests/test_laws.py tests/test_membership.py tests/test_weather.py

MADE := $(VENV)/.made
DEMO := $(VENV)/.installed
TEST := $(VENV)/.installed-test
PIP  := $(BIN)/python -m pip --disable-pip-version-check
EDITABLE := $(PIP) install -q --no-deps --no-build-isolation -e .

# A PYTHONPATH of another installation must not shadow what the lock says.
unexport PYTHONPATH
unexport PYTHONHOME

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check format lock clean FORCE

help:
	@echo "make demo    account the sample county and print its table / 核算演示县"
	@echo "make test    all tests, compiled and uncompiled / 全部测试"
	@echo "make real    account Jiangxi and Xingguo from ../shared/data / 核算江西与兴国"
	@echo "make bench   measure speed and memory / 测速；make bench-peers: other programs / 其他程序"
	@echo "make check   format, lint and types, as CI does"
	@echo "make format  let ruff rewrite what it can"
	@echo "make lock    renew both lock files (needs uv)"
	@echo "make clean   remove .venv, caches and built files"

demo: $(DEMO)
	@$(BIN)/gep demo

test: $(TEST)
	$(BIN)/python -m pytest -q -n auto
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest -q -n auto $(PYTHON_TESTS)

check: $(TEST)
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy

format: $(TEST)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# ---- Set-up: nothing is done twice; a changed lock, pyproject.toml or moved checkout is noticed.

# Broken, half made, made for another folder, or its Python is gone: make it again.
ifneq ($(shell [ "$$(cat $(MADE) 2>/dev/null)" = "$(CURDIR)" ] && $(BIN)/python -c 'import pip' 2>/dev/null && echo whole),whole)
$(MADE): FORCE
endif

$(MADE):
	@rm -rf $(VENV)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "gep needs Python 3.11 or newer / 需要 Python 3.11 以上" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 \
	|| { rm -rf $(VENV); command -v $(UV) >/dev/null && $(UV) venv -q --seed --python $(PYTHON) $(VENV); } \
	|| { rm -rf $(VENV); $(PYTHON) -m virtualenv -q $(VENV) 2>/dev/null; } \
	|| { rm -rf $(VENV); [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null && $(PYTHON) -m venv $(VENV); } \
	|| { rm -rf $(VENV); echo "No venv module: run 'sudo apt-get install python3-venv', then 'make' again / 缺少 python3-venv" >&2; exit 2; }
	@printf '%s\n' "$(CURDIR)" > $@

$(DEMO): $(MADE) requirements.lock pyproject.toml
	@echo "Installing gep into $(VENV) (once) / 正在安装（仅一次）"
	@$(PIP) install -q --require-hashes -r requirements.lock
	@$(EDITABLE)
	@touch $@

# The test lock holds everything of requirements.lock, so it serves `make demo` too.
$(TEST): $(MADE) requirements-test.lock requirements.lock pyproject.toml
	@echo "Installing gep and its test tools into $(VENV) (once) / 正在安装测试环境（仅一次）"
	@$(PIP) install -q --require-hashes -r requirements-test.lock
	@$(EDITABLE)
	@touch $(DEMO) $@

# One lock for all Pythons and platforms, with hashes and without addresses (pip's own settings are not read).
LOCK := $(UV) pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate

lock:
	$(LOCK) --upgrade pyproject.toml build.in -o requirements.lock
	$(LOCK) --upgrade --extra test -c requirements.lock pyproject.toml build.in -o requirements-test.lock

clean:
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find src tests rasters benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# ---- Real input: the 100 counties of Jiangxi and Xingguo, from ../shared/data; see tests/real/README.md.

.PHONY: real
real: $(DEMO)
	@$(BIN)/gep run tests/real/jiangxi.toml
	@$(BIN)/gep run tests/real/xingguo.toml

# ---- Speed and memory: docs/performance.md. SIZE is 4k, 8k, 16k or pixels to a side; provinces stay in the user's cache.

SIZE   ?= 4k
PEERS  ?= build/peers
INVEST ?= build/invest

.PHONY: bench bench-peers
bench: $(TEST)
	$(BIN)/python benchmarks/run.py --size $(SIZE)
	$(BIN)/python benchmarks/kills.py $(SIZE)
	$(BIN)/python docs/performance.py

# pygeoprocessing and InVEST are left out, and said, where GDAL's headers are missing: benchmarks/peers/make_invest.sh.
bench-peers: $(TEST)
	@test -x $(PEERS)/bin/python || PYTHON=$(abspath $(BIN)/python) benchmarks/peers/make_peers.sh $(PEERS)
	@test -x $(INVEST)/bin/python || ! command -v gdal-config >/dev/null || benchmarks/peers/make_invest.sh $(INVEST)
	$(BIN)/python benchmarks/side_by_side.py --size $(SIZE) --peers $(PEERS) $$(test ! -x $(INVEST)/bin/python || echo --invest $(INVEST))
	$(BIN)/python docs/performance.py
