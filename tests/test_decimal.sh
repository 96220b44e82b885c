# Decimals against Python's, on random questions; SEED and COUNT repeat a run.
#
# shellcheck shell=sh disable=SC1091
. "$SOURCE_DIR/tests/tap.sh"

command -v python3 >/dev/null || skip_all "no python3"
driver=$BUILD_DIR/tests/test_decimal
oracle=$SOURCE_DIR/tests/decimal_oracle.py

it "decimals agree with unlimited arithmetic on random questions"
expect python3 "$oracle" "$driver" "${COUNT:-5000}" ${SEED:+"$SEED"}
echo "$tap_output" | sed 's/^/# /'

done_testing
