# `make` lists what there is. All of it works from a fresh clone with Rust, Node 20, Python 3 with
# pip, make and a C compiler. What is fetched goes to target/, node_modules/ and .tools/.

PYTHON ?= python3
# How many posts `make bench` starts from.
N ?= 10000
# For how many members, and among how many posts, `make bench-digest` measures.
MEMBERS ?= 10000
POSTS ?= 100000
CARGO_DENY_VERSION := 0.20.2

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SHELLFLAGS := -euc
MAKEFLAGS += --no-builtin-rules

# rust-toolchain.toml pins the compiler. Where rustup can neither find nor fetch that one, its
# stable one does; Cargo.toml's rust-version refuses it if it is too old.
ifneq ($(shell cargo --version >/dev/null 2>&1; echo $$?),0)
export RUSTUP_TOOLCHAIN ?= stable
endif

ASSETS := node_modules/.stamp
HELPERS := .tools/python/.stamp
DENY := $(or $(shell command -v cargo-deny),.tools/bin/cargo-deny)
ADVISORIES := $(or $(CARGO_HOME),$(HOME)/.cargo)/advisory-dbs

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

.PHONY: setup
setup: $(ASSETS) $(HELPERS) ## fetches what is embedded in the binary, and what the tests run beside it

# The development profile, whose dependencies are optimised a little: the quickest way from a clone
# to a page, and `make test` uses the same build.
.PHONY: run
run: $(ASSETS) ## builds, and serves demonstration content at http://127.0.0.1:8080
	cargo run -- demo

.PHONY: test
test: setup ## all tests, on both stores, with a real MongoDB and a real mail server
	tests/leaving-nothing tests/with-mongod cargo test

.PHONY: test-fast
test-fast: setup ## the tests on the embedded store alone
	env -u HOPE_TEST_MONGODB HOPE_TEST_PYTHON="$$(command -v $(PYTHON))" cargo test --lib --bins --tests

.PHONY: lint
lint: $(ASSETS) $(DENY) ## format, clippy, dependencies (deny.toml), generated files
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
	$(DENY) --log-level error check bans licenses sources
	@if ls -d "$(ADVISORIES)"/*/ >/dev/null 2>&1; then set -x; \
	  $(DENY) --offline --log-level error check advisories; \
	else \
	  echo "******************************************************************************" >&2; \
	  echo "ADVISORIES WERE NOT CHECKED: there is no copy of the RustSec database here." >&2; \
	  echo "\`$(DENY) fetch db\` gets one, where the network allows it." >&2; \
	  echo "******************************************************************************" >&2; \
	fi
# The same build as the tests', so that nothing is compiled twice.
	cargo test --quiet --test it the_checked_in_schema_is_what_the_program_writes

.PHONY: fmt
fmt: ## formats the code
	cargo fmt

.PHONY: schema
schema: $(ASSETS) ## writes schema/ from the code
	cargo run --quiet -- schema

.PHONY: bench
bench: setup ## measures a release build: the guard alone, then HTTP on both stores: make bench N=100000
	cargo bench --bench guard
	tests/with-mongod cargo bench --bench http -- --posts $(N)

.PHONY: bench-digest
bench-digest: setup ## measures how fast digests go out, on both stores: make bench-digest MEMBERS=1000,100000
	tests/with-mongod cargo bench --bench digest -- --members $(MEMBERS) --posts $(POSTS)

.PHONY: clean
clean: ## removes what was built or fetched; data/ stays
	cargo clean
	rm -rf .tools node_modules

$(ASSETS): package.json package-lock.json .npmrc
	npm ci --no-progress
	@touch $@

# Beside the project and not in a virtual environment: every Python with pip can do this.
$(HELPERS): tests/requirements.txt
	rm -rf .tools/python .tools/python.part
	PIP_ROOT_USER_ACTION=ignore $(PYTHON) -m pip install --quiet --disable-pip-version-check \
	  --no-deps --target .tools/python.part --requirement tests/requirements.txt
	mv .tools/python.part .tools/python
	@touch $@

.tools/bin/cargo-deny:
	cargo install cargo-deny --locked --version $(CARGO_DENY_VERSION) --root .tools
