# What the objects of libtarn and of stream/ call (nm on the archives):
#
#   I1  only src/os calls the system; it does not allocate by itself
#   I2  only src/base/memory.c calls the allocator
#   I3  everything else calls tarn and functions that only look at their arguments
#   I4  the shared library needs the C library and nothing else
#   I5  libtarn and stream/ have no variables of their own: nothing that can be written outlives a call
#
# shellcheck shell=sh disable=SC1091
. "$SOURCE_DIR/tests/tap.sh"

[ -z "$TARN_BUILD_FLAGS" ] || skip_all "built with $TARN_BUILD_FLAGS, whose runtime is called everywhere"

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# bcmp: what clang makes of a memcmp that only asks whether bytes are equal.
pure='memcpy|memmove|memset|memcmp|bcmp|memchr|strlen|strnlen|strcmp|strncmp|strchr|snprintf|vsnprintf'
# What the compiler calls on its own: checks that trap, and arithmetic the machine lacks.
runtime='__stack_chk_fail|__(memcpy|memmove|memset|snprintf|vsnprintf)_chk|_GLOBAL_OFFSET_TABLE_'
runtime="$runtime|__u?(div|mod|divmod)ti[34]|__(multi3|clzti2|ctzti2|popcountdi2)"
allocator='malloc|calloc|realloc|free|aligned_alloc|posix_memalign|reallocarray'

# Each call that is against I1 to I3, as 'layer/file: function'. $1: the source tree, whose folders
# say which layer an object is of; the rest: archives.
violations() {
    tree=$1
    shift
    {
        for file in "$tree"/src/*/*.c; do
            layer=$(basename "$(dirname "$file")")
            echo "layer $layer $(basename "$file").o"
        done
        nm -A -u "$@" 2>/dev/null | awk 'NF > 1 && $(NF - 1) ~ /^[Uvw]$/ { split($1, at, ":"); print "call", at[2], $NF }'
    } | awk -v pure="^($pure|$runtime|(tarn|tn)_.*)\$" -v allocator="^($allocator)\$" '
        $1 == "layer" { layer[$3] = $2; next }
        {
            place = layer[$2] "/" $2
            sub(/\.o$/, "", place)
            if ($3 ~ allocator)
                allowed = place == "base/memory.c"
            else
                allowed = layer[$2] == "os" || $3 ~ pure
            if (!allowed)
                print place ": " $3
        }' | sort -u
}

libtarn=$BUILD_DIR/libtarn.a
stream=$BUILD_DIR/libtarn_stream.a
[ -e "$stream" ] || stream=

it "nm sees the allocator where it belongs"
expect_eq "$(nm -A -u "$libtarn" | grep -c 'memory.c.o:.* free$')" 1

it "only os/ calls the system and only base/memory.c the allocator, in libtarn"
expect_eq "$(violations "$SOURCE_DIR" "$libtarn")" ""

# Sections that can be written, of any size, as 'file: section'. .data.rel.ro is constant once it is loaded.
variables() {
    for archive; do
        objdump -h "$archive" 2>/dev/null
    done | awk '/file format/ { file = $1 } $2 ~ /^\.(data|bss|tdata|tbss)(\.|$)/ && $2 !~ /^\.data\.rel\.ro/ && $3 !~ /^0+$/ {
        print file " " $2
    }'
}

it "libtarn and stream/ have no variables of their own"
if command -v objdump >/dev/null; then
    expect_eq "$(variables "$libtarn" ${stream:+"$stream"})" ""
    echo 'static int calls; int tn_calls(void); int tn_calls(void) { return ++calls; }' >"$work/count.c"
    "${CC:-cc}" -c -o "$work/count.o" "$work/count.c" && ar rc "$work/count.a" "$work/count.o"
    expect_eq "$(variables "$work/count.a")" "count.o: .bss"
else
    skip "no objdump here"
fi

it "stream/ calls neither the system nor the allocator"
expect_eq "$(violations "$SOURCE_DIR" ${stream:+"$stream"} "$libtarn")" ""

# plant LAYER CODE: what is found in an object 'planted' in that layer, in an archive as ours.
plant() {
    rm -rf "$work/tree"
    mkdir -p "$work/tree/src/$1"
    for folder in "$SOURCE_DIR"/src/*/; do
        mkdir -p "$work/tree/src/$(basename "$folder")"
        for file in "$folder"*.c; do
            [ -e "$file" ] && : >"$work/tree/src/$(basename "$folder")/$(basename "$file")"
        done
    done
    printf '%s\n' "$2" >"$work/tree/src/$1/planted.c"
    "$CC" -c -o "$work/planted.c.o" "$work/tree/src/$1/planted.c" || fail "cannot compile the planted code"
    cp "$libtarn" "$work/planted.a"
    ar r "$work/planted.a" "$work/planted.c.o" 2>/dev/null
    violations "$work/tree" "$libtarn" "$work/planted.a" | grep planted
}

it "a planted call of the system outside os/ is found"
expect_eq "$(plant index 'int getpid(void); int f(void); int f(void) { return getpid(); }')" \
    "index/planted.c: getpid"

it "a planted call of the allocator outside base/memory.c is found, in base/ too"
code='#include <stdlib.h>
void *f(size_t n) { return malloc(n); }'
expect_eq "$(plant base "$code")" "base/planted.c: malloc"
expect_eq "$(plant os "$code")" "os/planted.c: malloc"

it "planted output from stream/ is found"
expect_eq "$(plant stream 'int puts(const char *); void f(void); void f(void) { puts("x"); }')" \
    "stream/planted.c: puts"

it "a planted read of a global of the C library is found"
expect_eq "$(plant store 'extern char **environ; char **f(void); char **f(void) { return environ; }')" \
    "store/planted.c: environ"

it "the shared library needs the C library alone"
if command -v objdump >/dev/null; then
    needed=$(objdump -p "$BUILD_DIR/libtarn.so" | awk '$1 == "NEEDED" && $2 !~ /^ld-linux/ { print $2 }')
    case $needed in
    libc.so.*) ;;
    *) fail "needed: $needed" ;;
    esac
    case $needed in *"
"*) fail "more than one: $needed" ;; esac
else
    skip "no objdump"
fi

done_testing
