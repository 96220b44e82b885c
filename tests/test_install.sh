# What 'make install' lays down can be found and used by others: by hand, pkg-config and CMake.
#
# shellcheck shell=sh disable=SC1091
. "$SOURCE_DIR/tests/tap.sh"

[ -z "$TARN_BUILD_FLAGS" ] || skip_all "built with $TARN_BUILD_FLAGS, and not to be installed"

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

cat >"$work/main.c" <<'END'
#include <stdio.h>
#include <string.h>
#include <tarn.h>

int main(void)
{
    tarn_store *store;

    if (tarn_open(&store, NULL, NULL) < 0 || strcmp(tarn_version(), TARN_VERSION_TEXT) != 0)
        return 1;
    printf("version %s\n", tarn_version());
    return tarn_close(store);
}
END
version=$(sed -n 's/^#define TARN_VERSION_TEXT "\(.*\)"/\1/p' "$SOURCE_DIR/include/tarn.h")

it "DESTDIR and the prefix are honoured"
expect env DESTDIR="$work/stage" cmake --install "$BUILD_DIR" --prefix /opt/tarn
[ -e "$work/stage/opt/tarn/include/tarn.h" ] || fail "no $work/stage/opt/tarn/include/tarn.h"
expect_eq "$(ls "$work/stage")" "opt"

# Moved after that, since an installed tree may be.
mv "$work/stage/opt/tarn" "$work/tree"
library=$(dirname "$(find "$work/tree" -name libtarn.a)")

it "the library, both ways, the headers and the command are there"
for file in include/tarn.h include/tarn_typed.h bin/tarn; do
    [ -e "$work/tree/$file" ] || fail "no $file"
done
expect_eq "$(cd "$library" && ls -d lib*)" "libtarn.a
libtarn.so
libtarn.so.${version%%.*}
libtarn.so.$version"

it "nothing of what only tests and the command use is installed"
expect_eq "$(find "$work/tree" -name 'libtarn_*')" ""

it "the command runs and has the version of the header"
expect_eq "$("$work/tree/bin/tarn" version | grep -c -F "$version")" 1

it "a program finds the library through pkg-config"
if command -v pkg-config >/dev/null; then
    flags=$(PKG_CONFIG_PATH=$library/pkgconfig pkg-config --cflags --libs tarn)
    # shellcheck disable=SC2086
    expect "$CC" -o "$work/by-pkg-config" "$work/main.c" $flags -Wl,-rpath,"$library"
    expect_eq "$("$work/by-pkg-config")" "version $version"
    expect_eq "$(PKG_CONFIG_PATH=$library/pkgconfig pkg-config --modversion tarn)" "$version"
else
    skip "no pkg-config"
fi

it "a program finds the library through CMake, static and shared"
cat >"$work/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.25)
project(user LANGUAGES C)
find_package(tarn 0.1 REQUIRED)
foreach(kind static shared)
  add_executable(by-${kind} main.c)
  target_link_libraries(by-${kind} PRIVATE tarn::libtarn_${kind})
endforeach()
END
expect cmake -S "$work" -B "$work/build" -DCMAKE_C_COMPILER="$CC" -DCMAKE_PREFIX_PATH="$work/tree"
expect cmake --build "$work/build"
expect_eq "$("$work/build/by-static")" "version $version"
expect_eq "$("$work/build/by-shared")" "version $version"

it "the version is one, in the header, in CMake and in the change log"
expect_eq "$(sed -n 's/^CMAKE_PROJECT_VERSION:STATIC=//p' "$BUILD_DIR/CMakeCache.txt")" "$version"
expect grep -q "^## \[$version\]" "$SOURCE_DIR/CHANGELOG.md"

it "libtarn builds alone, without a C++ compiler and without what the command needs"
expect env CXX=/nonexistent cmake -S "$SOURCE_DIR" -B "$work/alone" -DTARN_COMMAND=OFF \
    -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_COMPILER="$CC"
expect cmake --build "$work/alone" --target libtarn_static
[ -e "$work/alone/libtarn.a" ] || fail "no libtarn.a"

done_testing
