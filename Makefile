# The few commands a person types; CONTRIBUTING.md says when. Needs Rust, make and a C compiler; `make test`
# also needs what scripts/test-packages names, and gets it from Debian where it may.

CARGO ?= cargo
PREFIX ?= /usr/local
DESTDIR ?=
BINARIES = --bin lxcd --bin lxcctl --bin pvesim
TARGET_DIR = $(or $(CARGO_TARGET_DIR),target)
HAS_NEXTEST := $(shell $(CARGO) nextest --version >/dev/null 2>&1 && echo yes)

.PHONY: help build release demo demo-shell demo-stop clean-demo test test-packages lint deny soak fuzz bench bench-hour completions deb test-deb install install-files

help: ## What there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

build: ## The three programs, for trying things out
	$(CARGO) build --locked $(BINARIES)

release: ## lxcd and lxcctl as they are installed
	$(CARGO) build --locked --release --bin lxcd --bin lxcctl

demo: build ## The main job against two simulated Proxmox installations; ends by itself
	@scripts/demo run

demo-shell: build ## The same installations, left running for you to try
	@scripts/demo shell

demo-stop: ## End what demo-shell left running
	@scripts/demo stop

clean-demo: demo-stop ## The same

test-packages: ## Debian packages the tests need; installs them where it may
	@scripts/test-packages

test: test-packages build ## All tests
ifeq ($(HAS_NEXTEST),yes)
	$(CARGO) test --locked --workspace --doc --quiet
	scripts/with-postgres $(CARGO) nextest run --locked --workspace --no-fail-fast
else
	scripts/with-postgres $(CARGO) test --locked --workspace --no-fail-fast
endif

lint: ## Format, lints (warnings are errors), completions and man pages
	$(CARGO) fmt --all -- --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	$(CARGO) test --locked --package lxcctl --test assets
	@if $(CARGO) deny --version >/dev/null 2>&1; then $(MAKE) --no-print-directory deny; \
		else echo 'SKIPPED: make deny (cargo install --locked cargo-deny)' >&2; fi

deny: ## Licences, bans and sources of the dependencies (needs cargo-deny)
	@$(CARGO) deny --version >/dev/null 2>&1 || { echo 'make deny needs cargo-deny: cargo install --locked cargo-deny' >&2; exit 1; }
	$(CARGO) deny --workspace check licenses bans sources

soak: test-packages build ## Ten minutes of chaos: three lxcd, everything breaks, counted in the end (SOAK_SECONDS, SEED)
	LXC_CHAOS_SECONDS=$(or $(SOAK_SECONDS),600) LXC_CHAOS_SEED=$(or $(SEED),$(shell date +%s)) \
		$(CARGO) test --locked --package lxc-tests --test chaos -- --nocapture nothing_is_lost

fuzz: ## A minute of fuzzing for each thing that reads bytes from outside (needs cargo-fuzz)
	@$(CARGO) fuzz --version >/dev/null 2>&1 || { echo 'make fuzz needs cargo-fuzz: cargo install --locked cargo-fuzz' >&2; exit 1; }
	cd tests/fuzz && for target in pve_answer upid selector config grpc template; do \
		mkdir -p target/found/$$target && \
		RUSTC_BOOTSTRAP=1 $(CARGO) fuzz run --fuzz-dir . $$target target/found/$$target corpus/$$target -- -max_total_time=$(or $(FUZZ_SECONDS),60) || exit 1; done

bench: test-packages ## Figures beside their aims: time, memory, requests (release build; ONLY=list|lone|fleet|node|watchers|daemons|create)
	$(CARGO) build --locked --release --bin lxcd --bin lxcctl
	@$(CARGO) bench --locked --package lxc-tests --bench figures -- $(ONLY)

bench-hour: test-packages ## lxcd's memory under an hour of work (MINUTES=60)
	$(CARGO) build --locked --release --bin lxcd --bin lxcctl
	@MINUTES=$(or $(MINUTES),60) $(CARGO) bench --locked --package lxc-tests --bench figures -- hour

completions: ## Write completions/ anew
	BLESS=1 $(CARGO) test --locked --package lxcctl --test assets

deb: release ## A Debian package in target/, with systemd units
	@packaging/build-deb $(TARGET_DIR)

test-deb: deb ## Install that package, run it, remove it (root)
	@packaging/test-deb $(TARGET_DIR)/lxcd_*.deb

install: release install-files ## Into PREFIX (/usr/local): programs, completions, man pages

install-files:
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 755 $(TARGET_DIR)/release/lxcd $(TARGET_DIR)/release/lxcctl $(DESTDIR)$(PREFIX)/bin
	install -m 644 completions/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -D -m 644 completions/lxcctl.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/lxcctl
	install -D -m 644 completions/_lxcctl $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_lxcctl
	install -D -m 644 completions/lxcctl.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/lxcctl.fish
