# The headers by themselves: any C from 1999 on, any C++ from 1998 on, and a library that keeps its promises.
#
# shellcheck shell=sh disable=SC1091
. "$SOURCE_DIR/tests/tap.sh"

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
header=$SOURCE_DIR/include/tarn.h

strict="-Wall -Wextra -Wshadow -Wundef -pedantic -Werror -fsyntax-only -I$SOURCE_DIR/include"

# takes HEADER COMPILER STANDARD LANGUAGE FLAGS...: the header, included twice and used, without a warning.
takes() {
    it "$2 takes $1 twice as $3 without a warning"
    command -v "$2" >/dev/null || { skip "no $2"; return; }
    {
        printf '#include <%s>\n#include <%s>\n' "$1" "$1"
        [ "$1" = tarn.h ] || printf 'struct pair { double a, b; };\nTARN_STRUCT_TABLE(pairs, struct pair)\n'
        printf 'int tarn_twice(void);\nint tarn_twice(void) { return TARN_OK; }\n'
    } >"$work/twice.$4"
    # shellcheck disable=SC2086
    expect "$2" -std="$3" $strict $5 "$work/twice.$4"
}

for name in tarn.h tarn_typed.h; do
    for standard in c99 c11 c17; do
        takes $name gcc $standard c -Wc++-compat
        takes $name clang $standard c -Wc++-compat
    done
    for standard in c++98 c++17; do
        takes $name g++ $standard cpp ""
        takes $name clang++ $standard cpp ""
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
