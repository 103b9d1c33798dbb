# Needs python3, make and git. Everything else installs inside this folder, except Chromium.
SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON3 ?= python3
# An installed uv is used; otherwise one is installed in .tools.
UV_FOUND := $(shell command -v uv 2>/dev/null)
UV := $(if $(UV_FOUND),$(UV_FOUND),$(CURDIR)/.tools/uv/bin/uv)
UV_SPEC := uv>=0.9
PIP_QUIETLY := --quiet --disable-pip-version-check --root-user-action=ignore

# Installed once per lock file: nothing is checked again until uv.lock changes.
LOCK := $(shell cksum <uv.lock | cut -d' ' -f1)
DEV := .venv/.installed-$(LOCK)
ENGINE := .tools/engine/.installed-$(LOCK)
SAM := .tools/sam/.installed-$(LOCK)
AUDIT := .tools/audit/.installed-$(LOCK)
WEB_LOCK := $(shell cksum <tests/web/package-lock.json | cut -d' ' -f1)
TYPESCRIPT := .tools/typescript/.installed-$(WEB_LOCK)
LIGHTHOUSE := .tools/lighthouse/.installed-$(WEB_LOCK)
READERS_FOLDER := tests/functions/audit_mailer/readers
READERS := .tools/readers/.installed-$(shell cksum <$(READERS_FOLDER)/package-lock.json | cut -d' ' -f1)

# `scc`, from the code of this folder even when .venv is another clone's.
SCC := .venv/bin/python -m ops.cli

# A process for each stack; as each waits for its stack much of the time, three keep two cores busy.
THREE_PROCESSES := -n 3 --dist loadfile --no-loadscope-reorder

# Another environment that is active in the shell must not be mistaken for ours. Compiled modules are
# kept, or every process of a test compiles all of them again.
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE UV_PROJECT_ENVIRONMENT
# A variable given to make, as in `make run SCC_PORT=9000 RESET=1`, reaches the programs.
export SCC_PORT SCC_MAIL_PORT SCC_AWS_PORT SCC_STATE SCC_DEMO_PASSWORD RESET UV
export SCC_MAIL_METHOD SCC_MAIL_UNITS_PER_MINUTE SCC_MAIL_SENDS_PER_DAY
export SCC_MAIL_RETRY_CAP_SECONDS SCC_MAIL_SETTLE_SECONDS

.PHONY: help install run test test-long fuzz chaos attacks demo-outage bench check audit format docs build screens lighthouse
.PHONY: deploy deploy-role smoke gmail-key roster clean browser verifier

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile
	@echo
	@echo "  make run SCC_PORT=8000 SCC_MAIL_PORT=8025 SCC_AWS_PORT=4566 SCC_STATE=.local RESET=1"

install: ## install everything the other targets need
	@$(MAKE) -s -j3 $(DEV) $(ENGINE) $(SAM)

run: install ## run the whole system on this machine; RESET=1 starts empty; Ctrl-C stops it and keeps the data
	@exec .venv/bin/python -m local

test: install browser $(READERS) ## run the tests, except the long ones; ARGS go to pytest, e.g. ARGS="-k waiver"
	@.venv/bin/python -m pytest $(or $(ARGS),-m "not long" $(THREE_PROCESSES))
	@$(if $(ARGS),,.venv/bin/python -m release.tested test) # `make deploy` skips it for this commit

test-long: install browser ## run the tests that take minutes; ARGS as above
	@.venv/bin/python -m pytest -m long $(or $(ARGS),$(THREE_PROCESSES))
	@$(if $(ARGS),,.venv/bin/python -m release.tested test-long)

fuzz: install ## try thousands of requests against the API, for minutes; e.g. ARGS="-k auditor"
	@exec env SCC_FUZZ_SECONDS=$(or $(SCC_FUZZ_SECONDS),60) .venv/bin/python -m pytest tests/fuzz $(ARGS)

chaos: install ## break everything during 500 payments: SEED=7 PAYMENTS=500 METHOD=send|import|both
	@exec .venv/bin/python -m tests.chaos $(if $(SEED),--seed $(SEED)) \
	    $(if $(PAYMENTS),--payments $(PAYMENTS)) $(if $(METHOD),--method $(METHOD))

attacks: install ## try what an insider can, on a stack of its own: a table of what names each attack
	@exec .venv/bin/python -m tests.attacks

demo-outage: install ## watch Gmail break and recover, in two minutes
	@exec .venv/bin/python -m local.demo.outage

bench: install ## compare our speed with simpler alternatives, into benchmarks/; ONLY=cold,router
	@exec .venv/bin/python -m benchmarks $(if $(ONLY),--only '$(ONLY)')

check: install $(TYPESCRIPT) ## lint, format, types, import boundaries, and the transformed template
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo
	.tools/typescript/node_modules/.bin/tsc --project tests/web/jsconfig.json
	.tools/sam/bin/python release/transform.py --lint
	.venv/bin/actionlint
	.venv/bin/zizmor --offline --quiet --persona pedantic .github

audit: install $(AUDIT) ## check the template against checkov's security rules
	.tools/sam/bin/python release/transform.py --audit .tools/audit/bin/checkov

format: install ## format the code and apply safe fixes
	.venv/bin/ruff check --fix-only
	.venv/bin/ruff format

docs: install ## write docs/api.md from the models the API validates with
	.venv/bin/python -m release.openapi --page >docs/api.md

verifier: install ## write ops/verify_mbox.py, which auditors run, from its parts
	@exec .venv/bin/python -m ops.offline.build

build: install ## build the Lambda bundles for AWS into .aws-sam/build
	.tools/sam/bin/sam build
	@.venv/bin/python -m release.bundles

deploy: install ## deploy the current commit after a yes: STAGE=staging|prod CONFIRM=yes PARAMETERS="Name=value"
	@exec $(SCC) release deploy --stage "$(STAGE)" --confirm "$(CONFIRM)" -- $(PARAMETERS)

deploy-role: install ## create the role with which GitHub deploys: STAGE=staging|prod REPOSITORY=owner/name
	@exec $(SCC) release deploy-role --stage "$(STAGE)" --repository "$(REPOSITORY)"

smoke: install ## check that a deployed stack is wired up; changes nothing: STAGE=staging|prod
	@exec $(SCC) release smoke --stage "$(STAGE)"

gmail-key: install ## store the Gmail service account's key: STAGE=… FILE=key.json
	@exec $(SCC) release gmail-key --stage "$(STAGE)" --file "$(FILE)"

roster: install ## add an event and its roster by hand: STAGE=… FILE=event.json
	@exec $(SCC) release roster --stage "$(STAGE)" --file "$(FILE)"

screens: install browser ## photograph every screen into build/screens; SCC_TEST_STACK=.local uses a running stack
	@exec .venv/bin/python -m tests.browser.scenes.photograph

lighthouse: install browser $(LIGHTHOUSE) ## score the app's speed, accessibility and practices; SCC_TEST_STACK as above
	@exec .venv/bin/python -m tests.browser.lighthouse

clean: ## delete what was installed and built; the data of `make run` stays
	rm -rf .venv .tools .aws-sam .import_linter_cache .mypy_cache .ruff_cache .pytest_cache

# The project itself goes in last and editable, built with the locked hatchling: .venv/bin/scc.
$(DEV): | $(UV)
	@echo "installing .venv"; $(call sync,.venv) --no-install-project \
	&& $(call sync,.venv) --no-build-isolation \
	&& rm -f .venv/.installed-* && touch $@

$(ENGINE): | $(UV)
	@$(call install,.tools/engine,engine)

$(SAM): | $(UV)
	@$(call install,.tools/sam,sam)

$(AUDIT): | $(UV)
	@$(call install,.tools/audit,audit)

# The web app is checked with tools from npm: locked, integrity-checked, without install scripts, and
# outside the folders that are served.
$(TYPESCRIPT): $(ENGINE) tests/web/package-lock.json
	@$(call npm_ci,.tools/typescript,tests/web,--omit=dev)

$(LIGHTHOUSE): $(ENGINE) tests/web/package-lock.json
	@$(call npm_ci,.tools/lighthouse,tests/web,)

# Mail parsers that are not Python's: what do they make of our subjects?
$(READERS): $(ENGINE) $(READERS_FOLDER)/package-lock.json
	@$(call npm_ci,.tools/readers,$(READERS_FOLDER),)

define npm_ci
	echo "installing $(1)"; mkdir -p $(1) && cp $(2)/package.json $(2)/package-lock.json $(1)/ \
	&& PATH="$(CURDIR)/.tools/engine/bin:$$PATH" npm ci --prefix $(1) $(3) --ignore-scripts \
	    --no-audit --no-fund --loglevel=error \
	&& rm -f $(1)/.installed-* && touch $@
endef

define install
	echo "installing $(1)"; $(call sync,$(1)) --only-group $(2) \
	&& rm -f $(1)/.installed-* && touch $@
endef

sync = UV_PROJECT_ENVIRONMENT="$(CURDIR)/$(1)" "$(UV)" sync --quiet --frozen

# Debian's python3 has no ensurepip and so no `venv`: pip alone will do. Without pip, apt installs what
# is missing, as root.
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
	    "registry cannot be reached. Install uv (https://docs.astral.sh/uv/), or on Debian:" \
	    "apt-get install python3-venv"; exit 1; }

# The browser tests use an installed Chromium instead of Playwright's own download, and its headless
# shell where there is one: the same browser without windows, at a third of the cost of a page.
browser:
	@test -x "$$SCC_CHROMIUM" && exit 0; \
	whole=; for name in chromium chromium-browser; do \
	    command -v $$name >/dev/null && whole=$$name; done; \
	test -n "$$whole" && command -v chromium-headless-shell >/dev/null && exit 0; \
	install="env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends"; \
	if command -v apt-get >/dev/null && test "$$(id -u)" = 0; then sudo=; \
	elif command -v apt-get >/dev/null && sudo -n true 2>/dev/null; then sudo=sudo; \
	elif test -n "$$whole"; then exit 0; \
	else echo "The browser tests need Chromium: install it (\`sudo apt-get install" \
	    "chromium\`) or set SCC_CHROMIUM to its path."; exit 1; fi; \
	echo "installing Chromium with apt"; \
	$$sudo apt-get update -qq; \
	test -n "$$whole" || $$sudo $$install chromium fonts-dejavu-core >/dev/null || exit 1; \
	$$sudo $$install chromium-headless-shell >/dev/null 2>&1 \
	    || echo "no chromium-headless-shell here: the browser tests take twice as long with $${whole:-chromium}"
