# Exports as docs/FORMAT.md describes them: a reader written from that text lists what tarn does.
#
# shellcheck shell=sh disable=SC1091
. "$SOURCE_DIR/tests/tap.sh"

command -v python3 >/dev/null || skip_all "no python3 for the reader"

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
program=$BUILD_DIR/tests/test_format

reader() {
    python3 "$SOURCE_DIR/tests/export_reader.py" "$@"
}

it "exports are written"
expect "$program" --make "$work"

for file in empty example all; do
    it "the reader lists what an import makes of '$file'"
    reader "$work/$file.tarnx" >"$work/raw" || fail "the reader: exit $?"
    LC_ALL=C sort "$work/raw" >"$work/read"
    "$program" --list "$work/$file.tarnx" >"$work/raw" || fail "the import: exit $?"
    LC_ALL=C sort "$work/raw" >"$work/imported"
    cmp "$work/read" "$work/imported" || fail "they differ"
done
expect_eq "$(grep -c table "$work/read")" 13
expect_eq "$(grep -c entry "$work/read")" 1562

it "the reader reads the example out of the text"
reader --example "$SOURCE_DIR/docs/FORMAT.md" >"$work/read"
reader "$work/example.tarnx" >"$work/imported"
expect_eq "$(cat "$work/read")" "$(cat "$work/imported")"
expect_eq "$(grep -c entry "$work/read")" 4

# One byte changed in every part of a file, and the file cut short: both refuse what the other does.
it "the reader refuses what an import refuses"
bytes=$(wc -c <"$work/example.tarnx")
at=0
while [ "$at" -lt "$bytes" ]; do
    cp "$work/example.tarnx" "$work/changed"
    printf '\252' | dd of="$work/changed" bs=1 seek="$at" conv=notrunc 2>/dev/null
    reader "$work/changed" >/dev/null 2>&1 && fail "byte $at: the reader takes it"
    "$program" --list "$work/changed" >/dev/null 2>&1 && fail "byte $at: the import takes it"
    head -c "$at" "$work/example.tarnx" >"$work/changed"
    reader "$work/changed" >/dev/null 2>&1 && fail "cut at $at: the reader takes it"
    at=$((at + 29))
done
cp "$work/example.tarnx" "$work/changed"
printf x >>"$work/changed"
reader "$work/changed" >/dev/null 2>&1 && fail "one byte more: the reader takes it"

done_testing
