# Instructions per operation, counted by callgrind: a regression shows here whatever else the machine does.
#
# tests/instructions.tsv has what was counted when it was last changed; a tenth more is allowed. Figures
# are those of release builds on x86-64; anything else is skipped.
#
# shellcheck shell=sh disable=SC1091
. "$SOURCE_DIR/tests/tap.sh"

allowed_percent=110
program=$BUILD_DIR/tests/instructions

command -v valgrind >/dev/null 2>&1 || skip_all "valgrind is not here to count with"
command -v callgrind_annotate >/dev/null 2>&1 || skip_all "callgrind_annotate is not here"
[ "$(uname -m)" = x86_64 ] || skip_all "there are no figures for $(uname -m)"
[ "$BUILD_TYPE" = Release ] || skip_all "this is a build of type $BUILD_TYPE"
[ -z "$TARN_BUILD_FLAGS" ] || skip_all "this build has flags of its own: $TARN_BUILD_FLAGS"
[ -x "$program" ] || skip_all "there is no $program"

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

column=2
"$CC" --version | grep -q clang && column=3

# Without what is there for debuggers: this valgrind may not be able to read what that clang wrote.
strip -g -o "$work/instructions" "$program" || skip_all "strip is not here"
valgrind --tool=callgrind --callgrind-out-file="$work/profile" --collect-atstart=no \
    '--toggle-collect=count_*' "$work/instructions" >"$work/operations" 2>"$work/messages"
status=$?
callgrind_annotate --inclusive=yes --threshold=100 --auto=no "$work/profile" >"$work/costs" 2>&1

# count NAME: instructions of one operation, to a tenth; nothing when they were not counted.
count() {
    awk -v name="count_$1" '
        FNR == NR { if ($1 == name) operations = $2; next }
        index($0, ":" name " [") { gsub(",", "", $1); cost = $1 }
        END { if (operations > 0 && cost > 0) printf "%.1f", cost / operations }
    ' "$work/operations" "$work/costs"
}

it "every call of the counted loops answers as it should"
[ "$status" -eq 0 ] || fail "exit $status: $(tail -n 5 "$work/messages")"

grep -v '^#' "$SOURCE_DIR/tests/instructions.tsv" | cut -f "1,$column" >"$work/figures"
while read -r name figure; do
    counted=$(count "$name")
    it "$name takes at most a tenth more instructions than $figure"
    echo "# $name: counted ${counted:-none}"
    awk -v counted="${counted:-0}" -v figure="$figure" -v percent=$allowed_percent \
        'BEGIN { exit !(counted > 0 && figure > 0 && counted * 100 <= figure * percent) }' ||
        fail "counted ${counted:-nothing}, and in tests/instructions.tsv it is $figure"
done <"$work/figures"

it "every loop that is counted has a figure"
expect_eq "$(sed 's/^count_//; s/ .*//' "$work/operations" | sort)" "$(cut -f 1 "$work/figures" | sort)"

done_testing
