#!/bin/sh
# Decimals against Python's, on random questions; SEED and COUNT repeat a run.
set -eu

source_dir=${SOURCE_DIR:-$(dirname "$0")/..}
driver=${BUILD_DIR:-$source_dir/build}/tests/test_decimal

if ! command -v python3 >/dev/null; then
    echo 'ok 1 - decimals_agree_with_unlimited_arithmetic # SKIP no python3 here'
    echo '1..1'
    exit 0
fi
exec python3 "$source_dir/tests/decimal_oracle.py" "$driver" "${COUNT:-5000}" ${SEED:+"$SEED"}
