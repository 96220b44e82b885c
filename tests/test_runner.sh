# The test runner itself: what it counts, on made-up programs that pass, fail, die, and lie.
# shellcheck shell=sh disable=SC1091
. "$SOURCE_DIR/tests/tap.sh"

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/tests" "$work/build/tests"
cp "$SOURCE_DIR/tests/run" "$work/tests/run"
echo "COLOUR=a blue one" >"$work/build/tests/environment"

# program NAME < BODY: a shell script where the runner looks for a compiled test.
program() {
    : >"$work/tests/test_$1.c"
    { echo '#!/bin/sh'; cat; } >"$work/build/tests/test_$1"
    chmod +x "$work/build/tests/test_$1"
}

# The runner's last line and exit status, for the programs there are; then forget them.
run() {
    status=0
    SECONDS_MAX=${limit:-20} sh "$work/tests/run" "$work/build" "$@" >"$work/output" 2>&1 || status=$?
    echo "$(tail -n 1 "$work/output"), exit $status"
    rm -f "$work"/tests/test_* "$work"/build/tests/test_*
}

it "passing tests of several programs are added up"
printf 'echo "ok 1 - a"; echo "ok 2 - b"; echo 1..2\n' | program one
printf 'echo "ok 1 - c"; echo 1..1\n' | program two
expect_eq "$(run)" "3 passed, 0 failed, exit 0"

it "a failed test is counted and its details are printed"
printf 'echo "ok 1 - a"; echo "# test.c:7: x is 1"; echo "not ok 2 - b"; echo 1..2; exit 1\n' | program one
expect_eq "$(run)" "1 passed, 1 failed, exit 1"
expect grep -q 'test.c:7: x is 1' "$work/output"

it "a program that dies of a signal is a failure after what it had passed"
printf 'echo "ok 1 - a"; kill -SEGV $$\n' | program one
expect_eq "$(run)" "1 passed, 1 failed, exit 1"
expect grep -q 'died of signal 11' "$work/output"

it "a program that ends without its plan is a failure even with status 0"
printf 'echo "ok 1 - a"; exit 0\n' | program one
expect_eq "$(run)" "1 passed, 1 failed, exit 1"

it "a program that reports fewer tests than planned is a failure"
printf 'echo "ok 1 - a"; echo 1..3\n' | program one
expect_eq "$(run)" "1 passed, 1 failed, exit 1"

it "a status other than 0 without a failed test is a failure"
printf 'echo "ok 1 - a"; echo 1..1; exit 3\n' | program one
expect_eq "$(run)" "1 passed, 1 failed, exit 1"

it "a program that was never built is a failure"
: >"$work/tests/test_gone.c"
expect_eq "$(run)" "0 passed, 1 failed, exit 1"

it "a program that hangs is ended and is a failure"
printf 'sleep 30\n' | program one
expect_eq "$(limit=1 run)" "0 passed, 1 failed, exit 1"
expect grep -q 'did not end in time' "$work/output"

it "skipped tests and skipped programs are neither passed nor failed"
printf 'echo "ok 1 - a # SKIP no disk"; echo "ok 2 - b"; echo 1..2\n' | program one
printf 'echo "1..0 # SKIP no compiler"\n' | program two
expect_eq "$(run)" "1 passed, 0 failed, 2 skipped, exit 0"

it "output without a newline at its end does not hide the status"
printf 'echo "ok 1 - a"; printf 1..1\n' | program one
expect_eq "$(run)" "1 passed, 0 failed, exit 0"

it "a word chooses programs by name"
printf 'echo "ok 1 - a"; echo 1..1\n' | program one
printf 'echo "not ok 1 - c"; echo 1..1; exit 1\n' | program two
expect_eq "$(run one)" "1 passed, 0 failed, exit 0"

it "a word that no program has in its name chooses tests by name"
printf 'if [ "$1" = apple ]; then echo "ok 1 - an apple"; echo 1..1; else exit 9; fi\n' | program one
printf 'echo 1..0; exit 1\n' | program two
expect_eq "$(run apple)" "1 passed, 0 failed, exit 0"

it "a word that chooses nothing is a failure"
printf 'echo 1..0; exit 1\n' | program one
expect_eq "$(run nothing)" "0 passed, 1 failed, exit 1"

it "scripts are run and see the environment of the build"
cat >"$work/tests/test_script.sh" <<'END'
[ "$COLOUR" = "a blue one" ] && echo "ok 1 - a"
echo 1..1
END
expect_eq "$(run)" "1 passed, 0 failed, exit 0"

done_testing
