# The golden files of tests/golden: copies can be gone on with, and the readers written from the text read them.
#
# shellcheck shell=sh disable=SC1091
. "$SOURCE_DIR/tests/tap.sh"

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
program=$BUILD_DIR/tests/test_golden
golden=$SOURCE_DIR/tests/golden

sums() {
    (cd "$golden" && cksum ./*/*.tarn ./*.tarnx)
}
sums >"$work/before"

# What both readers say about entries: hexadecimal key and value, sorted.
pairs() {
    awk '$1 == "entry" { print $(NF - 1), $NF }' | LC_ALL=C sort
}

for store in store-1-command store-1-killed; do
    it "a copy of $store is what it was, and can be gone on with"
    cp -R "$golden/$store" "$work/$store" || fail "copy"
    chmod -R u+rw "$work/$store"
    "$TARN" put "$work/$store" new entry --table new || fail "put"
    "$TARN" del "$work/$store" new --table new || fail "del"
    "$program" --list "$work/$store" >"$work/listed" || fail "list"
    grep -v -e '^commit ' -e ' new$' "$work/listed" >"$work/seen"
    grep -v '^commit ' "$golden/$store.txt" | cmp - "$work/seen" || fail "it is another"
done

it "the command dumps what the text says"
"$TARN" dump "$golden/store-1-command" --hex >"$work/dump" || fail "dump"
awk -F '\t' '{ print "entry default", $1 == "" ? "-" : $1, $2 == "" ? "-" : $2 }' "$work/dump" |
    LC_ALL=C sort >"$work/seen"
grep '^entry default ' "$golden/store-1-command.txt" | cmp - "$work/seen" || fail "it is another"

it "reading changes nothing"
sums | cmp - "$work/before" || fail "a file is another"

command -v python3 >/dev/null || {
    it "the readers written from the text read them"
    skip "no python3 for the readers"
    done_testing
}

for store in store-1-command store-1-killed; do
    it "the reader written from the text lists $store"
    python3 "$SOURCE_DIR/tests/read_store.py" "$golden/$store" >"$work/raw" || fail "the reader: exit $?"
    # It shows an empty key or value as nothing, and entries of tables that are no more: the catalog, table 0, has
    # the numbers of those that are, little-endian.
    sed 's/^\(entry [0-9]*\)  /\1 - /; s/ $/ -/' "$work/raw" | awk '
        function number(hex,    i, sum) {
            for (i = 15; i >= 1; i -= 2)
                sum = sum * 256 + 16 * (index("0123456789abcdef", substr(hex, i, 1)) - 1) + \
                    index("0123456789abcdef", substr(hex, i + 1, 1)) - 1
            return sum
        }
        $1 == "entry" && $2 == 0 { known[number($4)] = 1 }
        $1 == "entry" && $2 != 0 && $2 in known' | pairs >"$work/read"
    # Dictionaries are two tables of entries there; what is left without them is every entry of the others.
    pairs <"$golden/$store.txt" >"$work/wanted"
    LC_ALL=C comm -23 "$work/wanted" "$work/read" >"$work/missing"
    expect_eq "$(cat "$work/missing")" ""
    expect_eq "$(grep -c . "$work/read")" $(($(grep -c . "$work/wanted") + 2 * $(grep -c '^word ' "$golden/$store.txt")))
    expect_eq "$(head -n 1 "$work/raw" | sed 's/ $/ -/')" "$(grep '^commit ' "$golden/$store.txt")"
done

it "the reader written from the text lists the export"
python3 "$SOURCE_DIR/tests/export_reader.py" "$golden/export-1.tarnx" >"$work/raw" || fail "the reader: exit $?"
pairs <"$work/raw" >"$work/read"
pairs <"$golden/export-1.txt" >"$work/wanted"
LC_ALL=C comm -23 "$work/wanted" "$work/read" >"$work/missing"
expect_eq "$(cat "$work/missing")" ""
expect_eq "$(grep -c . "$work/read")" $(($(grep -c . "$work/wanted") + 2 * $(grep -c '^word ' "$golden/export-1.txt")))

done_testing
