# docs/TESTING.md names tests: each is there. docs/MUTANTS.md counts mutants: there are so many, and each applies.
#
# shellcheck shell=sh disable=SC1091
. "$SOURCE_DIR/tests/tap.sh"

# The tests named in the tables of behaviours and defects, as 'file name'; test_behaviours where no file is said.
named() {
    awk -F '|' '/^\| [BW][0-9]+ \|/ { print $4 }' "$1" | grep -o '`[^`]*`' | tr -d '`' |
        awk '/^test_[a-z_]+$/ { next }
             /^test_[a-z_]+: / { sub(":", ""); print; next }
             /^[a-z0-9_]+$/ && length($0) > 20 { print "test_behaviours", $0 }'
}

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
named "$SOURCE_DIR/docs/TESTING.md" >"$work/named"

it "the tables of behaviours and defects name tests"
[ "$(wc -l <"$work/named")" -gt 40 ] || fail "found $(wc -l <"$work/named")"

it "every test they name is there"
while read -r file name; do
    grep -q "T($name)" "$SOURCE_DIR/tests/$file.c" || echo "$file has no test $name"
done <"$work/named" >"$work/missing"
expect_eq "$(cat "$work/missing")" ""

it "every behaviour and every defect has a row"
expect_eq "$(grep -c -E '^\| B[0-9]+ \|' "$SOURCE_DIR/docs/TESTING.md")" 27
expect_eq "$(grep -c -E '^\| W[0-9]+ \|' "$SOURCE_DIR/docs/TESTING.md")" 27

it "docs/MUTANTS.md has each list of mutants, and how many there are"
(cd "$SOURCE_DIR/tests/mutants" && grep -c '^mutant: ' ./*.txt | sed 's#^\./##; s/:/ /') | sort >"$work/there"
sed -n 's/^| `\([a-z_]*\.txt\)` | \([0-9]*\) |.*/\1 \2/p' "$SOURCE_DIR/docs/MUTANTS.md" | sort >"$work/said"
expect_eq "$(cat "$work/said")" "$(cat "$work/there")"
rules=$(sed -n '/^RULES = {/,/^}/p' "$SOURCE_DIR/tests/checkpoint_model.py" | grep -c '^    "')
grep -q "one at a time: $rules of them" "$SOURCE_DIR/docs/MUTANTS.md" || fail "the model has $rules rules"

it "every mutant still applies to the sources"
if command -v python3 >/dev/null 2>&1; then
    count=$(cat "$SOURCE_DIR"/tests/mutants/*.txt | grep -c '^mutant: ')
    expect_eq "$(python3 "$SOURCE_DIR/scripts/mutants" --check)" "$count of $count mutants apply"
else
    skip "python3 is not here"
fi

done_testing
