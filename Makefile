# SPDX-License-Identifier: Apache-2.0
.PHONY: help demo test run check canary timing mutants format bench release install clean

PREFIX ?= /usr/local

help: ## say what there is
	@sed -n 's/^\([a-z]*\):[^#]*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 18

demo: ## the main job, end to end, every step checked; JOURNAL=file.json for a journal of your own
	@scripts/setup.sh build
	@swift build --explicit-target-dependency-import-check error --product journal
	@swift build --explicit-target-dependency-import-check error --product vaultd
	@python3 demo/demo.py --bin "$$(swift build --show-bin-path)" $(if $(JOURNAL),--journal "$(JOURNAL)")

test: ## every Swift test, on a PostgreSQL of its own; ARGS="--filter Name" for some
	@scripts/setup.sh test
	@scripts/test.sh $(ARGS)

run: ## a server on SQLite in ./.run, until Ctrl-C, and what to type next
	@scripts/setup.sh build
	@swift build --explicit-target-dependency-import-check error --product journal
	@swift build --explicit-target-dependency-import-check error --product vaultd
	@scripts/run.sh

check: ## the whole gate, as CI runs it
	@scripts/check.sh

canary: ## plant secrets, then look for them in memory, core files, logs, databases, traffic; as root
	@scripts/setup.sh canary
	@swift build --explicit-target-dependency-import-check error --product journal
	@swift build --explicit-target-dependency-import-check error --product vaultd
	@$$([ "$$(id -u)" = 0 ] || echo sudo) .venv/bin/python scripts/canary/sweep.py --bin "$$(swift build --show-bin-path)"

timing: ## whether time tells account names apart, or secrets that are compared
	@scripts/setup.sh canary
	@swift build --explicit-target-dependency-import-check error --product vaultd
	@swift build --explicit-target-dependency-import-check error --product TimingCheck
	@.venv/bin/python scripts/canary/timing.py --bin "$$(swift build --show-bin-path)" \
	  --compare "$$(swift build --show-bin-path)/TimingCheck"

mutants: ## take each defence away and demand that its test fails; nightly, slow; ONLY="names" for some
	@scripts/setup.sh test
	@scripts/mutants.py $(if $(ONLY),--only $(ONLY))

format: ## format every Swift file in place
	@git ls-files -z '*.swift' ':!:*.pb.swift' | xargs -0 swift format --in-place

# The benchmarks' package builds into the product's folder, so that nothing is compiled twice.
bench: release ## the measurements of Benchmarks/, beside the machine's own limits
	@scripts/setup.sh test
	@for tool in ClientBenchmark CryptoBenchmark StoreBenchmark; do \
	  swift build --package-path Benchmarks --scratch-path .build -c release --static-swift-stdlib --product $$tool; done
	@python3 Benchmarks/run.py --bin "$$(swift build -c release --show-bin-path)" \
	  --tools "$$(swift build -c release --show-bin-path)" --json .build/bench.json

release: ## journal and vaultd, optimised, with the Swift libraries linked in
	@scripts/setup.sh build
	@swift build -c release --static-swift-stdlib --product journal
	@swift build -c release --static-swift-stdlib --product vaultd

install: release ## copy both programs to PREFIX/bin (default /usr/local)
	@install -d "$(DESTDIR)$(PREFIX)/bin"
	@install -s -m 755 "$$(swift build -c release --show-bin-path)"/journal "$$(swift build -c release --show-bin-path)"/vaultd "$(DESTDIR)$(PREFIX)/bin/"

clean: ## remove what was built
	@rm -rf .build .venv .run
