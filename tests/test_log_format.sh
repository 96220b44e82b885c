# Store files as docs/FORMAT.md describes them: a reader written from that text lists what a replay gives.
#
# shellcheck shell=sh disable=SC1091
. "$SOURCE_DIR/tests/tap.sh"

command -v python3 >/dev/null || skip_all "no python3 for the reader"

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
program=$BUILD_DIR/tests/test_log_format

reader() {
    python3 "$SOURCE_DIR/tests/read_store.py" "$@"
}

for seed in 1 2 3; do
    it "the reader lists what a replay of store $seed gives"
    expect "$program" --make "$work/store$seed" "$seed"
    reader "$work/store$seed" >"$work/read" || fail "the reader: exit $?"
    "$program" --list "$work/store$seed" >"$work/replayed" || fail "the replay: exit $?"
    cmp "$work/read" "$work/replayed" || fail "they differ"
    [ "$(grep -c entry "$work/read")" -gt 5 ] || fail "there is hardly anything in it"
    grep -q '^commit 40 6e6f7465203430$' "$work/read" || fail "another commit: $(head -n 1 "$work/read")"
done

it "the reader reads the example out of the text"
expect_eq "$(reader --example "$SOURCE_DIR/docs/FORMAT.md")" "commit 1 6e31
entry 1 6b 76616c7565"

# Bytes changed here and there: both refuse, or both list the same.
it "the reader refuses what a replay refuses"
refused=0
for file in "$work"/store3/*.tarn; do
    cp "$file" "$work/kept"
    bytes=$(wc -c <"$file")
    at=17
    while [ "$at" -lt "$bytes" ]; do
        printf '\252' | dd of="$file" bs=1 seek="$at" conv=notrunc 2>/dev/null
        reader "$work/store3" >"$work/read" 2>"$work/why" || refused=$((refused + 1))
        "$program" --list "$work/store3" >"$work/replayed" 2>&1 || : >"$work/replayed"
        cmp "$work/read" "$work/replayed" || fail "$file, byte $at: $(cat "$work/why")"
        cp "$work/kept" "$file"
        at=$((at + bytes / 3))
    done
done
[ "$refused" -gt 2 ] || fail "hardly anything was refused"

done_testing
