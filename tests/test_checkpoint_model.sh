# The model of commits, sweep, trim and recovery (tests/checkpoint_model.py): it keeps its own rules, needs each of
# them, and the store does as it says.
#
# shellcheck shell=sh disable=SC1091
. "$SOURCE_DIR/tests/tap.sh"

command -v python3 >/dev/null || skip_all "no python3 for the model"

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

model() {
    python3 "$SOURCE_DIR/tests/checkpoint_model.py" "$@"
}

it "whatever crashes, is refused or damaged, the model comes back as one of its commits"
expect model --seeds "${SEEDS:-40}"

# All of them take a minute: checkpoint_model.py --mutants.
it "with a rule turned off it does not"
model --mutants 3 >"$work/mutants"
[ "$(grep -c '^caught' "$work/mutants")" -ge 14 ] || fail "$(cat "$work/mutants")"

# Figures, as 'bytes of disk for a live one' and 'written for a changed one'.
figures() {
    grep -o '[0-9.]* bytes of disk for a live one, [0-9.]* written' "$1" | sed 's/ [^0-9]*/ /g'
}

it "the store takes the disk, and writes the bytes, that the model says, to a twentieth"
model --churn >"$work/model" || fail "$(cat "$work/model")"
"$BUILD_DIR/tests/test_durable" in_steady_churn >"$work/store" || fail "$(cat "$work/store")"
echo "# model: $(cat "$work/model")"
grep '^# at worst' "$work/store"
echo "$(figures "$work/model") $(figures "$work/store")" | awk '
    function near(a, b) { return a > 0 && b > 0 && a < b * 1.05 && b < a * 1.05 }
    { exit !(NF == 4 && near($1, $3) && near($2, $4)) }' || fail "they differ"

done_testing
