# tarn.h by itself: any C from 1999 on, any C++ from 1998 on, and a library that keeps its promises.
#
# shellcheck shell=sh disable=SC1091
. "$SOURCE_DIR/tests/tap.sh"

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
header=$SOURCE_DIR/include/tarn.h

printf '#include <tarn.h>\n#include <tarn.h>\nint tarn_twice(void);\nint tarn_twice(void) { return TARN_OK; }\n' \
    >"$work/twice.c"
cp "$work/twice.c" "$work/twice.cpp"
strict="-Wall -Wextra -Wshadow -Wundef -pedantic -Werror -fsyntax-only -I$SOURCE_DIR/include"

for compiler in gcc clang; do
    for standard in c99 c11 c17; do
        it "$compiler takes the header twice as $standard without a warning"
        # shellcheck disable=SC2086
        if command -v $compiler >/dev/null; then
            expect $compiler -std=$standard $strict -Wc++-compat "$work/twice.c"
        else
            skip "no $compiler"
        fi
    done
done
for compiler in g++ clang++; do
    for standard in c++98 c++17; do
        it "$compiler takes the header twice as $standard without a warning"
        # shellcheck disable=SC2086
        if command -v $compiler >/dev/null; then
            expect $compiler -std=$standard $strict "$work/twice.cpp"
        else
            skip "no $compiler"
        fi
    done
done

# Every function that follows TARN_API, comments taken out.
sed 's,/\*[^*]*\*/,,g' "$header" | awk '
    /^TARN_API / { declaration = ""; inside = 1 }
    inside { declaration = declaration " " $0 }
    inside && /;/ {
        match(declaration, /tarn_[a-z0-9_]+\(/)
        print substr(declaration, RSTART, RLENGTH - 1)
        inside = 0
    }' | sort >"$work/declared"

it "the header declares functions, each once"
[ "$(wc -l <"$work/declared")" -gt 10 ] || fail "found $(wc -l <"$work/declared")"
expect_eq "$(uniq -d "$work/declared")" ""
expect_eq "$(grep -c '^TARN_API ' "$header")" "$(wc -l <"$work/declared")"

it "the static library defines every function the header declares"
nm "$BUILD_DIR/libtarn.a" 2>/dev/null | awk '$2 == "T" { print $3 }' | sort -u >"$work/defined"
expect_eq "$(comm -23 "$work/declared" "$work/defined")" ""

it "the shared library exports what the header declares and nothing else"
# What counts lines (a build for coverage) brings symbols of its own.
nm -D --defined-only "$BUILD_DIR/libtarn.so" |
    awk '$3 !~ /^(__gcov_.*|mangle_path)$/ { print $3 }' | sort >"$work/exported"
expect_eq "$(cat "$work/exported")" "$(cat "$work/declared")"

done_testing
