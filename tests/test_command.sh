# The command as a whole: verbs, help, version, and a manual page that keeps up with them.
# shellcheck shell=sh disable=SC1091,SC2154
. "$SOURCE_DIR/tests/tap.sh"

missing=$(mktemp) || exit 1
trap 'rm -f "$missing"' EXIT
manual=$SOURCE_DIR/docs/tarn.1
verbs=$("$TARN" --help | sed -n '/^Verbs:/,/^$/p' | awk '/^  / { print $1 }')

it "the version is the header's, as a verb and as an option"
wanted=$(sed -n 's/^#define TARN_VERSION_TEXT "\(.*\)"/tarn \1/p' "$SOURCE_DIR/include/tarn.h")
expect_eq "$("$TARN" version)" "$wanted"
expect_eq "$("$TARN" --version)" "$wanted"

it "help lists verbs, and every verb has help of its own"
expect_eq "$(echo "$verbs" | grep -cx -e window -e version)" 2
for verb in $verbs; do
    "$TARN" "$verb" --help | grep -q "^Usage: tarn $verb" || fail "tarn $verb --help"
done
expect_eq "$("$TARN" -h)" "$("$TARN" --help)"

it "help wins over what is wrong to its right, not to its left"
expect "$TARN" window --help --every
refuse "$TARN" window --evry --help

it "the manual page has every verb and every option that help has"
for verb in $verbs; do
    grep -q "^\.Ss tarn $verb" "$manual" || fail "no section on tarn $verb"
    "$TARN" "$verb" --help | grep -oE '^  (-[a-z], )?--?[a-z-]+' | grep -oE -e '-[a-z-]+$' |
        while read -r option; do
            # In mdoc, "Fl -late" is --late and "Fl o" is -o.
            grep -qE "Fl ${option#-}( |\$)" "$manual" || echo "no $option of tarn $verb"
        done >"$missing"
    [ ! -s "$missing" ] || fail "$(cat "$missing")"
done

it "the manual page formats without a warning"
if command -v groff >/dev/null 2>&1 && [ -e /usr/share/groff/current/tmac/mdoc.tmac ]; then
    expect_eq "$(groff -mandoc -ww -Tutf8 -z "$manual" 2>&1)" ""
else
    skip "groff with mdoc is not here"
fi

done_testing
