# The verbs people type; CMake does the work. `make help` lists them.
#
#     make CMAKE_ARGS=-DTARN_WERROR=ON     more for the configure step
#     make test T=window                   only tests with 'window' in the name
#     make fuzz SECONDS=600 T=csv          that entry point for ten minutes
#     make prove OPS=1000000000            the model, for that many operations in all
#     make prove-crash IMAGES=100000000    power losses, that many disks in all
#     make install PREFIX=/usr DESTDIR=pkg

BUILD      = build
PREFIX     = /usr/local
JOBS      := $(shell nproc 2>/dev/null || echo 2)
CMAKE_ARGS =
T          =
SECONDS    = 60
OPS        = 1000000000
IMAGES     = 100000000

MAKEFLAGS += --no-print-directory

build_in   = cmake --build $(1) --parallel $(JOBS)
c_files    = $(wildcard include/*.h src/*/*.[ch] src/*/*.cpp cli/*.[ch] bench/*.[ch] bench/*.cpp \
             bench/rivals/* tests/*.[ch] tests/model/*.[ch])

# Not counted as branches: what cannot be taken. A tn_assert that fails traps, and the C++ compiler's
# exception paths are not ours.
gcovr_options = --filter src/ --filter cli/ --exclude-throw-branches --exclude-unreachable-branches \
    --exclude-lines-by-pattern '.*(tn_assert\(|tn_debug_assert\(|tn_unreachable\().*'

.PHONY: all deps configure demo test asan asan-clang tsan msan fuzz prove prove-crash mutants valgrind tidy cppcheck format coverage bench bench-table install clean help

all: configure ## build the command (build/tarn) and the libraries
	@$(call build_in,$(BUILD))

deps: ## find what is missing to build, and install it (Debian)
	@scripts/deps

configure: deps
	@[ -z "$(CMAKE_ARGS)" ] && [ -e $(BUILD)/CMakeCache.txt ] || cmake -S . -B $(BUILD) $(CMAKE_ARGS)

demo: all ## windows over real data shipped with the project
	@TARN=$(BUILD)/tarn demo/run

test: all ## build and run all tests; T=word: only those with the word in their name
	@scripts/deps test
	@$(call build_in,$(BUILD)) --target tests
	@tests/run $(BUILD) $(T)

asan asan-clang tsan: deps ## the tests under address+undefined, or thread, sanitizers
	@[ -e build-$@/CMakeCache.txt ] || cmake --preset $@
	@$(call build_in,build-$@) --target all tests
	@tests/run build-$@ $(T)

# Without what goes through libraries that the sanitizer does not know: the C++ library (simdjson) and zlib.
msan: deps ## the tests of the engine under the memory sanitizer (needs clang)
	@scripts/deps check
	@[ -e build-msan/CMakeCache.txt ] || cmake --preset msan
	@$(call build_in,build-msan) --target tests
	@SKIP='\.sh$$|_(csv|tsv|ndjson|reader|input|specials|gzip|arguments|follow|place|metamorphic)$$' \
	    SECONDS_MAX=3600 tests/run build-msan $(T)

fuzz: ## fuzz each entry point for SECONDS (needs clang)
	@scripts/deps check
	@[ -e build-fuzz/CMakeCache.txt ] || cmake --preset fuzz
	@$(call build_in,build-fuzz) --target fuzzers
	@tests/fuzz build-fuzz $(SECONDS) $(T)

prove: configure ## the model beside the engine for OPS operations in all: docs/PROOF.md
	@$(call build_in,$(BUILD)) --target prove_engine
	@scripts/prove $(BUILD)/tests/prove_engine $(OPS)

prove-crash: configure ## power losses, until IMAGES disks were opened in all: docs/CRASHES.md
	@$(call build_in,$(BUILD)) --target prove_crash
	@scripts/prove_crash $(BUILD)/tests/prove_crash $(IMAGES)

mutants: ## break a rule at a time, and see that a test fails; T=word: only some
	@scripts/deps test
	@scripts/mutants build-mutants $(T)

valgrind: all ## the tests under valgrind's memcheck: an hour and more
	@scripts/deps valgrind
	@$(call build_in,$(BUILD)) --target tests
	@tests/valgrind $(BUILD) $(T)

tidy: configure ## clang-tidy over all sources
	@scripts/deps check
	@scripts/tidy $(BUILD) $(JOBS)

cppcheck: configure ## cppcheck over all sources
	@scripts/deps check
	@scripts/cppcheck $(BUILD) $(JOBS)

format: ## clang-format everything
	@scripts/deps format
	@clang-format -i $(c_files)

coverage: deps ## which lines the tests run: build-coverage/coverage.html
	@scripts/deps coverage
	@[ -e build-coverage/CMakeCache.txt ] || cmake --preset coverage
	@$(call build_in,build-coverage) --target all tests
	@SECONDS_MAX=3600 tests/run build-coverage $(T)
	@gcovr --root . $(gcovr_options) --print-summary --txt build-coverage/lines.txt \
	    --html-details build-coverage/coverage.html build-coverage
	@gcovr --root . $(gcovr_options) --branches build-coverage > build-coverage/branches.txt
	@cat build-coverage/branches.txt

bench: ## measure the store beside its rivals, as many as can be built here
	@scripts/deps bench
	@cmake -S . -B $(BUILD) $(CMAKE_ARGS)
	@$(call build_in,$(BUILD))
	@$(BUILD)/tarn bench store

bench-table: ## measure every row of the targets at every size (an hour and more) and print the tables
	@scripts/deps bench
	@cmake -S . -B $(BUILD) $(CMAKE_ARGS) > /dev/null
	@$(call build_in,$(BUILD)) > /dev/null
	@scripts/bench_all $(BUILD)

install: all ## install below PREFIX (/usr/local), staged in DESTDIR when given
	@cmake -S . -B $(BUILD) -DCMAKE_INSTALL_PREFIX=$(PREFIX) $(CMAKE_ARGS) > $(BUILD)/install.log
	@DESTDIR=$(DESTDIR) cmake --install $(BUILD)

clean: ## remove what was built
	rm -rf build build-*

help: ## this list
	@awk -F ':.*## ' '/^[a-z -]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' Makefile
