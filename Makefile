# The few commands a person types. CONTRIBUTING.md says when.

CARGO ?= cargo
BINARIES = --bin lxcd --bin lxcctl --bin pvesim

.PHONY: help build test lint

help: ## What there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

build: ## The three programs, for trying things out
	$(CARGO) build --locked $(BINARIES)

test: build ## All tests
	$(CARGO) test --locked --workspace -- --quiet

lint: ## Format and lints, warnings are errors
	$(CARGO) fmt --all -- --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
