# Includes point down only: what each folder may include, checked line by line.
#
# shellcheck shell=sh disable=SC1091
. "$SOURCE_DIR/tests/tap.sh"

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# Each #include that the table does not allow, as 'file: what'. $1: a source tree. An include
# without a folder is of the same folder; those in <> are the system's, except <tarn.h>.
violations() {
    (cd "$1" && grep -n '^ *# *include' /dev/null src/*/*.[ch] src/*/*.cpp cli/*.[ch] bench/*.[ch] \
        bench/*.cpp bench/rivals/* 2>/dev/null) | awk -F : '
        BEGIN {
            may["base"] = "base"
            may["os"] = "base os"
            may["heap"] = "base os heap"
            may["index"] = "base os heap index"
            may["log"] = "base os log tarn.h"
            may["store"] = "base os heap index log store tarn.h"
            may["stream"] = "base os stream tarn.h"
            may["io"] = "base os io tarn.h"
            may["cli"] = "base os stream io cli bench tarn.h"
            may["bench"] = "base os stream io cli bench tarn.h"
        }
        {
            place = $1
            from = place
            sub(/^src\//, "", from)
            sub(/\/.*/, "", from)
            what = $3
            sub(/^ *# *include */, "", what)
            if (what ~ /^</) {
                if (what !~ /^<tarn/)
                    next
                to = "tarn.h"
            } else {
                sub(/^"/, "", what)
                sub(/".*/, "", what)
                to = what ~ /\// ? what : from
                sub(/^(\.\.\/)*/, "", to)
                sub(/\/.*/, "", to)
            }
            if (index(" " may[from] " ", " " to " ") == 0)
                print place ": " what
        }'
}

it "every include points down"
expect_eq "$(violations "$SOURCE_DIR")" ""

it "there are includes to look at"
[ "$(grep -c '^#include "base/' "$SOURCE_DIR"/src/*/*.h | awk -F : '{ n += $2 } END { print n }')" -gt 3 ] ||
    fail "found hardly any"

# plant FILE LINE: what is found in that file when the tree has one more line in it.
plant() {
    rm -rf "$work/tree"
    mkdir "$work/tree"
    for folder in src cli bench; do
        [ -e "$SOURCE_DIR/$folder" ] && cp -R "$SOURCE_DIR/$folder" "$work/tree/"
    done
    mkdir -p "$(dirname "$work/tree/$1")"
    printf '%s\n' "$2" >>"$work/tree/$1"
    violations "$work/tree" | grep "^$1:"
}

it "a planted include that points up is found"
expect_eq "$(plant src/base/memory.h '#include "heap/record.h"')" "src/base/memory.h: heap/record.h"
expect_eq "$(plant src/heap/planted.c '#include "store/store.h"')" "src/heap/planted.c: store/store.h"
expect_eq "$(plant src/log/planted.c '#include "heap/heap.h"')" "src/log/planted.c: heap/heap.h"

it "a planted include of the store's inside from stream/, io/ and cli/ is found"
expect_eq "$(plant src/stream/planted.c '#include "store/store.h"')" \
    "src/stream/planted.c: store/store.h"
expect_eq "$(plant src/io/planted.cpp '# include "index/hash.h"')" "src/io/planted.cpp: index/hash.h"
expect_eq "$(plant cli/planted.c '#include "heap/heap.h"')" "cli/planted.c: heap/heap.h"

it "a planted include of tarn.h below the store, or around the folders, is found"
expect_eq "$(plant src/index/planted.c '#include <tarn.h>')" "src/index/planted.c: <tarn.h>"
expect_eq "$(plant src/index/planted.c '#include "../store/store.h"')" \
    "src/index/planted.c: ../store/store.h"

done_testing
