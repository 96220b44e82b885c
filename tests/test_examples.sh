# The programs people read first are compiled as they stand, run, and print what is said: those at
# the top of tarn.h and tarn_typed.h, and the one in README.md (its first C block; the block after it is the output).
#
# shellcheck shell=sh disable=SC1091,SC2086
. "$SOURCE_DIR/tests/tap.sh"

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
strict="-std=c99 -pedantic -Wall -Wextra -Werror -I$SOURCE_DIR/include"

# The indented program in the top comment of a header, comment marks taken off.
from_header() {
    awk '/^ \*     #include/ { inside = 1 }
         inside && /^ \* [^ ]/ { exit }
         inside { sub(/^ \*( {5})?/, ""); print }' "$1"
}

# from_readme FILE N: the N-th fenced block, counted from the first C block on.
from_readme() {
    awk -v wanted="$2" '
        /^```/ && !inside { if (/^```c$/ || block) block++; inside = 1; next }
        /^```/ { inside = 0; next }
        inside && block == wanted' "$1"
}

# runs_and_prints NAME OUTPUT: $work/NAME.c compiles strictly, against both libraries, and says that.
runs_and_prints() {
    lines=$(wc -l <"$work/$1.c")
    [ "$lines" -ge 10 ] && [ "$lines" -le 30 ] || fail "$lines lines is not a program of about 20"
    expect "$CC" $strict $TARN_BUILD_FLAGS -o "$work/static" "$work/$1.c" "$BUILD_DIR/libtarn.a"
    expect_eq "$("$work/static" 2>&1), exit $?" "$2, exit 0"
    expect "$CC" $strict $TARN_BUILD_FLAGS -o "$work/shared" "$work/$1.c" "$BUILD_DIR/libtarn.so" \
        -Wl,-rpath,"$BUILD_DIR"
    expect_eq "$("$work/shared" 2>&1), exit $?" "$2, exit 0"
}

it "the program at the top of tarn.h compiles as C99, runs, and prints two pages"
from_header "$SOURCE_DIR/include/tarn.h" >"$work/header.c"
runs_and_prints header "2 pages seen"

it "the program at the top of tarn_typed.h compiles as C99, runs, and prints a reading"
from_header "$SOURCE_DIR/include/tarn_typed.h" >"$work/typed.c"
runs_and_prints typed "21.5 after 1"

it "the program at the top of tarn_typed.h is C++98, too"
cp "$work/typed.c" "$work/typed.cpp"
expect "$CXX" -std=c++98 -pedantic -Wall -Wextra -Werror -I"$SOURCE_DIR/include" $TARN_BUILD_FLAGS \
    -o "$work/typed" "$work/typed.cpp" "$BUILD_DIR/libtarn.a"
expect_eq "$("$work/typed" 2>&1), exit $?" "21.5 after 1, exit 0"

it "the program in README.md compiles as C99, runs, and prints what README.md says"
if [ -e "$SOURCE_DIR/README.md" ]; then
    from_readme "$SOURCE_DIR/README.md" 1 >"$work/readme.c"
    runs_and_prints readme "$(from_readme "$SOURCE_DIR/README.md" 2)"
else
    skip "there is no README.md"
fi

# The N-th block of README.md that is a command line after '$ tarn ', and what it prints behind an empty line.
example() {
    awk -v wanted="$1" '
        /^```/ { inside = !inside; first = inside; next }
        inside && first { first = 0; shows = /^\$ tarn /; count += shows }
        inside && shows && count == wanted' "$SOURCE_DIR/README.md"
}

it "each example of README.md prints what README.md says, and the first block is one"
if [ -e "$SOURCE_DIR/README.md" ]; then
    grep -A 1 -m 1 '^```' "$SOURCE_DIR/README.md" | grep -q '^\$ tarn window ' || fail "it does not begin with tarn window"
    n=1
    while example "$n" >"$work/example" && [ -s "$work/example" ]; do
        command_line=$(awk '/^\$ /, /[^\\]$/ { sub(/^\$ /, ""); sub(/\\$/, ""); printf "%s ", $0 }' "$work/example")
        expect_eq "$(cd "$SOURCE_DIR" && eval "\"\$TARN\" ${command_line#tarn}" 2>&1)" \
            "$(awk 'blank { print } /^$/ { blank = 1 }' "$work/example")"
        n=$((n + 1))
    done
    [ "$n" -gt 3 ] || fail "only $((n - 1)) examples were found"
else
    skip "there is no README.md"
fi

done_testing
