# Needs only make and Python >= 3.10. Another interpreter: make test PYTHON=python3.12

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
PACKAGING := setup.cfg pyproject.toml constraints.txt

# Half an hour to an hour on two cores; an interrupted run goes on where it stopped.
RESULTS := results
SUITES := between-heard-v1 between-unheard-v1 between3-unheard-v1 near-heard-v2 near-unheard-v2 \
	target-unheard-v2 3src-v2 noise-v2 distance-v2 static-v2 far-v2
AGENTS := Random StandInPlace RotateInPlace Novelty GoToLoudest ProximityPrior GoToNearest DoA Oracle

# Scored on what agents separate; those that do not learn are given the separator that ships.
SEPARATE_RESULTS := results-separate
SEPARATE_SUITES := between-heard-v1 between-unheard-v1 between3-unheard-v1 near-unheard-v1 far-v1
SEPARATOR := av_envs.agents.separation:Passive

# The measuring task, more than an hour: teams with their usual predictor, and what predictors are worth.
TEAM_RESULTS := results-rir
TEAM_SUITES := replica-like-v2 mp3d-like-v2
TEAMS := Random Curiosity Occupancy NearestNeighbor Frontier SpreadOut CoverageOracle
PREDICTED := Random:zero Random:mean Random:oracle CoverageOracle:oracle
PLAY_TEAMS := $(RUN) -m av_envs.benchmarks.run --workers 2 --out $(TEAM_RESULTS) \
	--suite $(TEAM_SUITES:%=rir-%) --agent

# Pytest keeps rewritten tests as bytecode; without it every process rewrites all of them again.
unexport PYTHONDONTWRITEBYTECODE

# A file's tests stay in one process: they share what is slow to make.
TEST_PROCESSES := 2
TEST := $(RUN) -m pytest -n $(TEST_PROCESSES) --dist loadfile

# Why mkdocs 1 and not 2, which has no plugins: it says so at every start.
MKDOCS := NO_MKDOCS_2_WARNING=1 $(RUN) -m mkdocs

# The page is tested in this browser, Debian's.
BROWSER := chromium chromium-driver

.PHONY: browser demo docs docs-serve leaderboard leaderboard-separate leaderboard-rir tables test test-slow lint types format clean

demo: $(VENV)/installed-demo
	$(RUN) -m av_envs.benchmarks.demo --out demo

docs: $(VENV)/installed-docs
	$(MKDOCS) build --quiet
	@echo open site/index.html

docs-serve: $(VENV)/installed-docs
	$(MKDOCS) serve

leaderboard: $(VENV)/installed-demo
	$(RUN) -m av_envs.benchmarks.run --workers 2 --out $(RESULTS) --suite $(SUITES:%=sep-%) \
		--agent $(AGENTS:%=av_envs.baselines.separation:%)
	$(RUN) -m av_envs.benchmarks.report $(RESULTS)

leaderboard-separate: $(VENV)/installed-agents
	$(RUN) -m av_envs.benchmarks.run --workers 2 --out $(SEPARATE_RESULTS) \
		--suite $(SEPARATE_SUITES:%=separate-%) \
		--agent $(AGENTS:%=av_envs.baselines.separation:%) \
		--agent-kwargs '{"separator": "$(SEPARATOR)"}'
	$(RUN) -m av_envs.benchmarks.report $(SEPARATE_RESULTS)

leaderboard-rir: $(VENV)/installed-demo
	$(PLAY_TEAMS) $(TEAMS:%=av_envs.baselines.rir_measure:%)
	for pair in $(PREDICTED); do \
		$(PLAY_TEAMS) av_envs.baselines.rir_measure:$${pair%:*} \
			--agent-kwargs "{\"predictor\": \"$${pair#*:}\"}" || exit; \
	done
	$(RUN) -m av_envs.benchmarks.report $(TEAM_RESULTS)

# After both boards: keep their rows, and fill them into README and docs.
tables: $(VENV)/installed-demo
	cp $(RESULTS)/leaderboard.json docs/results/separation.json
	cp $(TEAM_RESULTS)/leaderboard.json docs/results/rir_measure.json
	$(RUN) docs/tables.py

test: $(VENV)/installed-test
	$(TEST)

# Without a browser its tests are skipped, or fail where AV_ENVS_BROWSER is `required`.
browser:
	@if command -v chromium >/dev/null && command -v chromedriver >/dev/null; then exit 0; \
	elif test -f /etc/debian_version && test "$$(id -u)" = 0; then \
		apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y $(BROWSER); \
	else \
		echo "the page's browser tests need: apt-get install -y $(BROWSER) (as root)" >&2; \
		test -z "$$CI" && test "$$AV_ENVS_BROWSER" != required; \
	fi

# The notebook is played, what an index would get is built, and Dask traces.
test-slow: $(VENV)/installed-test $(VENV)/installed-notebook $(VENV)/installed-release $(VENV)/installed-cluster
	$(TEST) -m "slow or not slow"

lint: $(VENV)/installed-test
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

types: $(VENV)/installed-test
	$(RUN) -m mypy

format: $(VENV)/installed-test
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

# The virtual environment stays; `rm -r .venv` removes it too.
clean:
	rm -rf build dist out demo site *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis .test_cache
	find av_envs agents baselines benchmarks tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUN):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "av-envs needs Python 3.10 or newer; try: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/installed-%: $(RUN) $(PACKAGING)
	@echo "installing av-envs [$*] and what it needs into $(VENV) ..."
	@$(RUN) -m pip install --disable-pip-version-check --quiet -c constraints.txt -e ".[$*]"
	@touch $@
