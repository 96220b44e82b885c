# Random small inputs: `tarn window` and an independent implementation in Python agree to the byte.
# Repeat a failure with SEED=...; more cases with CASES=...
# shellcheck shell=sh disable=SC1091,SC2154
. "$SOURCE_DIR/tests/tap.sh"
command -v python3 >/dev/null 2>&1 || skip_all "python3 is not here"
. "$SOURCE_DIR/tests/window.sh"

it "csv, tsv and ndjson of random tables give the rows that the oracle gives (SEED=${SEED:-1})"
expect python3 "$SOURCE_DIR/tests/window_oracle.py" "$TARN" "$work" "${SEED:-1}" "${CASES:-200}"
[ "$tap_bad" -ne 0 ] || echo "$tap_output"

done_testing
