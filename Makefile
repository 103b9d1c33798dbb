# Needs python3, make and git. Everything else is installed below .tools/ and .venv/.
SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON3 ?= python3
# A uv that is already there is used; else one of our own is installed.
UV_FOUND := $(shell command -v uv 2>/dev/null)
UV := $(if $(UV_FOUND),$(UV_FOUND),$(CURDIR)/.tools/uv/bin/uv)
UV_SPEC := uv>=0.9
PIP_QUIETLY := --quiet --disable-pip-version-check --root-user-action=ignore

# What is installed is keyed on the lock: nothing is asked again until uv.lock changes.
LOCK := $(shell cksum <uv.lock | cut -d' ' -f1)
DEV := .venv/.installed-$(LOCK)
ENGINE := .tools/engine/.installed-$(LOCK)
SAM := .tools/sam/.installed-$(LOCK)
AUDIT := .tools/audit/.installed-$(LOCK)
WEB_LOCK := $(shell cksum <tests/web/package-lock.json | cut -d' ' -f1)
TYPESCRIPT := .tools/typescript/.installed-$(WEB_LOCK)
LIGHTHOUSE := .tools/lighthouse/.installed-$(WEB_LOCK)

# Another environment that is active in the shell must not be taken for ours; what Python compiled
# is kept, or every process of a test compiles all its modules again.
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE UV_PROJECT_ENVIRONMENT
# A variable given to make, as in `make run SCC_PORT=9000 RESET=1`, reaches the programs.
export SCC_PORT SCC_MAIL_PORT SCC_AWS_PORT SCC_STATE SCC_DEMO_PASSWORD RESET UV
export SCC_MAIL_METHOD SCC_MAIL_UNITS_PER_MINUTE SCC_MAIL_SENDS_PER_DAY
export SCC_MAIL_RETRY_CAP_SECONDS SCC_MAIL_SETTLE_SECONDS

.PHONY: help install run test fuzz chaos demo-outage bench check audit format docs build screens lighthouse
.PHONY: deploy smoke gmail-key roster clean browser

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile
	@echo
	@echo "  make run SCC_PORT=8000 SCC_MAIL_PORT=8025 SCC_AWS_PORT=4566 SCC_STATE=.local RESET=1"

install: ## install everything that the other targets need
	@$(MAKE) -s -j3 $(DEV) $(ENGINE) $(SAM)
	@ln -sf ../../ops/scc .venv/bin/scc

run: install ## start the whole system here; RESET=1 starts empty; Ctrl-C stops and keeps the data
	@exec .venv/bin/python -m local

# Three processes with a deployed stack each, as much of the time each waits; ARGS run in one.
test: install browser ## run the test suite, but for its long part; ARGS are pytest's, as in ARGS="-k waiver"
	@.venv/bin/python -m pytest $(or $(ARGS),-n 3 --dist loadfile --no-loadscope-reorder -m "not long")
	@$(if $(ARGS),,.venv/bin/python -m release.tested) # `make deploy` need not test this commit again

fuzz: install ## look for bad answers of the API for minutes; ARGS as in ARGS="-k auditor"
	@exec env SCC_FUZZ_SECONDS=$(or $(SCC_FUZZ_SECONDS),60) .venv/bin/python -m pytest tests/fuzz $(ARGS)

chaos: install ## break everything under 500 payments: SEED=7 PAYMENTS=500 METHOD=send|import|both
	@exec .venv/bin/python -m tests.chaos $(if $(SEED),--seed $(SEED)) \
	    $(if $(PAYMENTS),--payments $(PAYMENTS)) $(if $(METHOD),--method $(METHOD))

demo-outage: install ## watch Gmail break and operations mend it, in two minutes
	@exec .venv/bin/python -m local.demo.outage

bench: install ## measure us beside what you would take instead, into benchmarks/; ONLY=cold,router
	@exec .venv/bin/python -m benchmarks $(if $(ONLY),--only '$(ONLY)')

check: install $(TYPESCRIPT) ## lint, format and type checks, and cfn-lint on the transformed template
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.tools/typescript/node_modules/.bin/tsc --project tests/web/jsconfig.json
	.tools/sam/bin/python release/transform.py --lint
	.venv/bin/actionlint
	.venv/bin/zizmor --offline --quiet --persona pedantic .github

audit: install $(AUDIT) ## check the template against checkov's security rules; each exception is explained in it
	.tools/sam/bin/python release/transform.py --audit .tools/audit/bin/checkov

format: install ## format the code and apply safe fixes
	.venv/bin/ruff check --fix-only
	.venv/bin/ruff format

docs: install ## write docs/api.md from the models that the API validates with
	.venv/bin/python -m release.openapi --page >docs/api.md

build: install ## build the Lambda bundles for AWS into .aws-sam/build
	.tools/sam/bin/sam build
	@.venv/bin/python -m release.bundles

deploy: install ## deploy what is committed, once you said yes: STAGE=staging|prod CONFIRM=yes PARAMETERS="Name=value"
	@exec .venv/bin/python -m release.deploy --stage "$(STAGE)" --confirm "$(CONFIRM)" $(PARAMETERS)

smoke: install ## look whether a deployed stack is wired; changes nothing: STAGE=staging|prod
	@exec .venv/bin/python -m release.smoke --stage "$(STAGE)"

gmail-key: install ## store the Gmail service account's key, the first or the next: STAGE=… FILE=key.json
	@exec .venv/bin/python -m release.gmail_key --stage "$(STAGE)" --file "$(FILE)"

roster: install ## put an event and its roster into the Events table: STAGE=… FILE=event.json
	@exec .venv/bin/python -m release.roster --stage "$(STAGE)" --file "$(FILE)"

screens: install browser ## photograph every screen and state into docs/screens; SCC_TEST_STACK=.local uses a running stack
	@exec .venv/bin/python -m tests.browser.photograph

lighthouse: install browser $(LIGHTHOUSE) ## score the app's speed, accessibility and practices; SCC_TEST_STACK as above
	@exec .venv/bin/python -m tests.browser.lighthouse

clean: ## remove what was installed and built; the data of `make run` stays (RESET=1 empties it)
	rm -rf .venv .tools .aws-sam .mypy_cache .ruff_cache .pytest_cache

$(DEV): | $(UV)
	@$(call sync,.venv,dev)

$(ENGINE): | $(UV)
	@$(call sync,.tools/engine,engine)

$(SAM): | $(UV)
	@$(call sync,.tools/sam,sam)

$(AUDIT): | $(UV)
	@$(call sync,.tools/audit,audit)

# What the web app is checked with comes from npm: locked and integrity-checked, no install scripts,
# kept out of the folders that are served.
$(TYPESCRIPT): $(ENGINE) tests/web/package-lock.json
	@$(call npm_ci,.tools/typescript,--omit=dev)

$(LIGHTHOUSE): $(ENGINE) tests/web/package-lock.json
	@$(call npm_ci,.tools/lighthouse,)

define npm_ci
	echo "installing $(1)"; mkdir -p $(1) && cp tests/web/package.json tests/web/package-lock.json $(1)/ \
	&& PATH="$(CURDIR)/.tools/engine/bin:$$PATH" npm ci --prefix $(1) $(2) --ignore-scripts \
	    --no-audit --no-fund --loglevel=error \
	&& rm -f $(1)/.installed-* && touch $@
endef

define sync
	echo "installing $(1)"; \
	UV_PROJECT_ENVIRONMENT="$(CURDIR)/$(1)" "$(UV)" sync --quiet --frozen --only-group $(2) \
	&& rm -f $(1)/.installed-* && touch $@
endef

# Debian's python3 comes without ensurepip, so without `venv`: then pip alone will do, and without
# pip too, as root, apt brings what is missing.
$(CURDIR)/.tools/uv/bin/uv:
	@echo "installing uv"
	@with_venv() { rm -rf .tools/uv; $(PYTHON3) -m venv .tools/uv >/dev/null 2>&1 \
	    && .tools/uv/bin/python -m pip install $(PIP_QUIETLY) '$(UV_SPEC)'; }; \
	with_pip() { rm -rf .tools/uv; $(PYTHON3) -m pip --version >/dev/null 2>&1 \
	    && $(PYTHON3) -m pip install $(PIP_QUIETLY) --target .tools/uv '$(UV_SPEC)'; }; \
	with_apt() { test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
	    && apt-get update -qq && apt-get install -qq -y python3-venv >/dev/null && with_venv; }; \
	with_venv || with_pip || with_apt || { rm -rf .tools/uv; \
	    echo "uv could not be installed: $(PYTHON3) has neither venv nor pip, or the package" \
	    "registry is out of reach. Install uv (https://docs.astral.sh/uv/), or on Debian:" \
	    "apt-get install python3-venv"; exit 1; }

# The browser tests drive an installed Chromium; Playwright's own download is not used.
browser:
	@for name in chromium chromium-browser; do \
	    command -v $$name >/dev/null && exit 0; done; \
	test -x "$$SCC_CHROMIUM" && exit 0; \
	if command -v apt-get >/dev/null && test "$$(id -u)" = 0; then sudo=; \
	elif command -v apt-get >/dev/null && sudo -n true 2>/dev/null; then sudo=sudo; \
	else echo "The browser tests need Chromium: install it, as with" \
	    "\`sudo apt-get install chromium\`, or name one in SCC_CHROMIUM."; exit 1; fi; \
	echo "installing Chromium with apt"; \
	$$sudo apt-get update -qq && \
	$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
	    chromium fonts-dejavu-core >/dev/null
