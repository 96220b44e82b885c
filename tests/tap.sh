# tap.sh - what a test script needs; sourced. The shell's test.h.
#
#     . "$SOURCE_DIR/tests/tap.sh"
#     it "an empty store counts zero"
#     expect_eq "$(tarn stat ...)" 0
#     done_testing
#
# 'it' begins a test, whose name is the sentence that is true when it passes; a failed expectation
# prints what was seen and the test goes on. done_testing prints the plan and ends the script.
# shellcheck shell=sh

tap_count=0
tap_failed=0
tap_name=
tap_bad=0
tap_skip=

tap_finish() {
    [ -n "$tap_name" ] || return 0
    tap_count=$((tap_count + 1))
    if [ "$tap_bad" -ne 0 ]; then
        tap_failed=$((tap_failed + 1))
        echo "not ok $tap_count - $tap_name"
    else
        echo "ok $tap_count - $tap_name${tap_skip:+ # SKIP $tap_skip}"
    fi
    tap_name=
}

it() {
    tap_finish
    tap_name=$1
    tap_bad=0
    tap_skip=
}

fail() {
    tap_bad=1
    printf '%s\n' "$*" | sed 's/^/# /'
}

skip() {
    tap_skip=$1
}

# The whole script has nothing to do here, and says why.
skip_all() {
    echo "1..0 # SKIP $1"
    exit 0
}

# expect_eq SEEN WANTED
expect_eq() {
    [ "$1" = "$2" ] || fail "seen:
$1
wanted:
$2"
}

# expect COMMAND...: it succeeds; its output is shown when it does not.
expect() {
    tap_output=$("$@" 2>&1) || fail "failed ($?): $*
$tap_output"
}

# refuse COMMAND...: it must fail.
refuse() {
    if tap_output=$("$@" 2>&1); then
        fail "did not fail: $*
$tap_output"
    fi
}

done_testing() {
    tap_finish
    echo "1..$tap_count"
    [ "$tap_failed" -eq 0 ]
    exit
}
