# A newcomer needs only `make listen` and `make test`; each sets up what it needs.
# PIP_ARGS is passed to pip: on Linux, PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu" installs the
# small CPU build of torch instead of the CUDA one. Training and tests need torch; listening does not.

.PHONY: listen test test-all test-avx2 test-tfhub lint format wheel check-wheel bench reproduce findings demo examples clean
BIN := .venv/bin
# Run a test process for each core, up to eight, since each needs up to 1 GB.
PYTEST := $(BIN)/python -m pytest --numprocesses logical --maxprocesses 8 --dist worksteal

listen:
	scripts/setup.sh
	$(BIN)/streamer listen --device auto

test:
	scripts/setup.sh dev
	$(PYTEST) -m "not slow"

# Also run the tests that take long: whole trainings, and the shortest runs of the benchmarks.
test-all: test
	$(PYTEST) -m slow

# Run the tests that compute as on a processor with AVX2 but neither AVX-512 nor bf16. Tests that only move sound, files
# and messages (devices, decoders, data sets, reports, sinks, sockets, scheduling) are left out, because instructions do
# not matter there.
COMPUTES := $(addprefix tests/,dsp heads inference models pipeline separation yamnet custom_sounds test_whole_chain.py \
	$(addprefix train/,augment custom_sounds embedders evaluate export generation lab loop mixing tasks teachers transfer))
test-avx2:
	scripts/setup.sh dev
	scripts/as_avx2.sh $(PYTEST) -m "not slow" $(COMPUTES)

# Compare the folder that `streamer models pull` writes with the real TensorFlow Hub, in an environment of its own.
test-tfhub:
	scripts/setup_tfhub.sh
	.venv-tfhub/bin/python -m pytest tests/tfhub

lint:
	scripts/setup.sh dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format:
	scripts/setup.sh dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Without isolation, so that numba is there and the wheel brings the machine code of the kernels.
wheel:
	scripts/setup.sh dev
	rm -rf build dist
	$(BIN)/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

# Install the wheel alone in an environment of its own, and run it on the bundled recording.
check-wheel: wheel
	scripts/check_wheel.sh dist/streamer-*.whl

bench:
	scripts/setup.sh dev
	$(BIN)/python -m benchmarks.frontend
	$(BIN)/python -m benchmarks.capture
	$(BIN)/python -m benchmarks.listening
	$(BIN)/python -m benchmarks.lateness
	$(BIN)/python -m benchmarks.slow_subscriber
	$(BIN)/python -m benchmarks.streams
	$(BIN)/python -m benchmarks.bounds
	$(BIN)/python -m benchmarks.separation
	$(BIN)/python -m benchmarks.analyze
	$(BIN)/python -m benchmarks.memory
	$(BIN)/python -m benchmarks.resample
	$(BIN)/python -m benchmarks.training_data

# Make every figure of docs/results.md anew, trainings included, from the data sets in STREAMER_DATA. This takes long.
# To make a few: make reproduce RESULTS="gate cost" (names of docs/results/*.json).
reproduce:
	scripts/setup.sh dev
	$(BIN)/python -m train results --reproduce $(RESULTS)

# Check whether other people's libraries still behave as each findings/NAME.sh describes.
findings:
	findings/run.sh

demo:
	scripts/setup.sh dev
	$(BIN)/python scripts/make_demo.py

examples:
	cd examples/javascript && npm ci

clean:
	rm -rf .venv .venv-tfhub build dist *.egg-info
