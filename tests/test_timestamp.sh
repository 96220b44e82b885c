# Times are read and printed as Python's datetime does it, on random texts, right and wrong ones.
#
# shellcheck shell=sh disable=SC1091
. "$SOURCE_DIR/tests/tap.sh"

command -v python3 >/dev/null || skip_all "no python3 to compare with"

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
program=$BUILD_DIR/tests/test_timestamp
seed=${SEED:-1}

oracle() {
    python3 "$SOURCE_DIR/tests/timestamp_oracle.py" "$@"
}

# compare TEXTS: the first lines on which the two disagree, beside what they were about.
compare() {
    paste "$1" "$work/wanted" "$work/seen" | awk -F '\t' '$(NF - 1) != $NF' | head -5
}

it "random times are read to the same milliseconds or refused alike (seed $seed)"
oracle texts "$seed" >"$work/texts"
oracle read <"$work/texts" >"$work/wanted"
"$program" --read <"$work/texts" >"$work/seen"
expect_eq "$(wc -l <"$work/seen")" 45000
expect_eq "$(compare "$work/texts")" ""

it "both kinds are there in numbers"
[ "$(grep -c bad "$work/wanted")" -gt 5000 ] || fail "too few bad ones"
[ "$(grep -vc bad "$work/wanted")" -gt 15000 ] || fail "too few good ones"

mv "$work/wanted" "$work/read"

it "random milliseconds are printed alike (seed $seed)"
oracle numbers "$seed" >"$work/numbers"
oracle print <"$work/numbers" >"$work/wanted"
"$program" --print <"$work/numbers" >"$work/seen"
expect_eq "$(wc -l <"$work/seen")" 20000
expect_eq "$(compare "$work/numbers")" ""

it "neither the machine's zone nor its locale matters"
TZ=America/New_York LC_ALL=de_DE.UTF-8 "$program" --read <"$work/texts" >"$work/seen"
mv "$work/read" "$work/wanted"
expect_eq "$(compare "$work/texts")" ""

done_testing
