# scripts/deps, on a made-up machine: a PATH of our own where tools are absent and apt-get is a script
# that writes down what it was asked.
#
# shellcheck shell=sh disable=SC1091,SC2016
. "$SOURCE_DIR/tests/tap.sh"

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# tool NAME < BODY
tool() {
    { echo '#!/bin/sh'; cat; } >"$work/bin/$1"
    chmod +x "$work/bin/$1"
}

# A machine with compilers but without cmake, on which we are root, and Debian's apt-get works.
machine() {
    rm -rf "$work/bin" "$work/tree"
    mkdir -p "$work/bin" "$work/tree/scripts"
    cp "$SOURCE_DIR/scripts/deps" "$work/tree/scripts/deps"
    for name in sh env dirname mkdir tail chmod; do
        ln -s "$(command -v $name)" "$work/bin/$name"
    done
    for name in cc c++ make; do
        echo 'exit 0' | tool $name
    done
    echo 'echo 0' | tool id
    tool apt-get <<END
echo "apt-get \$*" >>"$work/asked"
case "\$*" in *install*cmake*) echo exit 0 >"$work/bin/cmake"; chmod +x "$work/bin/cmake" ;; esac
END
    : >"$work/asked"
}

# What deps says and its exit status.
deps() {
    (cd "$work/tree" && PATH=$work/bin CC=cc CXX=c++ "$work/bin/sh" scripts/deps "$@" </dev/null 2>&1)
    echo "exit $?"
}

it "a missing tool is installed, and said so"
machine
expect_eq "$(deps)" "tarn: installing with apt-get: cmake
exit 0"
expect_eq "$(grep -c install "$work/asked")" 1

it "when all is there it says nothing and asks nobody"
: >"$work/asked"
expect_eq "$(deps)" "exit 0"
expect_eq "$(cat "$work/asked")" ""

it "stale package lists are refreshed, and the install tried again"
machine
tool apt-get <<END
echo "apt-get \$*" >>"$work/asked"
case "\$*" in
*update*) : >"$work/fresh" ;;
*) [ -e "$work/fresh" ] && echo exit 0 >"$work/bin/cmake" && chmod +x "$work/bin/cmake" ;;
esac
END
expect_eq "$(deps | tail -n 1)" "exit 0"
expect_eq "$(grep -c . "$work/asked")" 3

it "without root and sudo the packages are listed and nothing is installed"
machine
echo 'echo 1000' | tool id
expect_eq "$(deps | grep -E 'did not find|apt-get install|^exit')" "tarn needs, and did not find: cmake
  Debian, Ubuntu:  apt-get install cmake
exit 1"
expect_eq "$(cat "$work/asked")" ""

it "without root it goes through sudo, which must not ask where nobody can answer"
machine
echo 'echo 1000' | tool id
printf 'echo "sudo $1" >>"%s/asked"; shift; exec "$@"\n' "$work" | tool sudo
expect_eq "$(deps | tail -n 1)" "exit 0"
expect_eq "$(head -n 1 "$work/asked")" "sudo -n"

it "without apt-get the packages of other systems are named"
machine
rm "$work/bin/apt-get"
expect_eq "$(deps | grep -c -E 'did not find: cmake|Fedora|Arch|elsewhere|exit 1')" 5

it "the benchmark's rivals are all asked for"
machine
echo 'exit 0' | tool cmake
printf 'read -r line; case $line in *lmdb*|*absl*|*rocksdb*|*leveldb*|*sqlite3*) exit 1 ;; esac\n' | tool c++
for package in absl/container/flat_hash_map.h:libabsl-dev lmdb.h:liblmdb-dev \
    rocksdb/db.h:librocksdb-dev leveldb/c.h:libleveldb-dev sqlite3.h:libsqlite3-dev; do
    [ -e "/usr/include/${package%:*}" ] || [ -e "/usr/local/include/${package%:*}" ] || {
        deps bench >/dev/null
        grep -q "install .*${package#*:}" "$work/asked" || fail "not asked for: ${package#*:}"
    }
    grep -q "wish ${package#*:} header ${package%:*}" "$work/tree/scripts/deps" ||
        fail "deps does not know ${package#*:}"
done

it "rivals of the benchmark that cannot be had do not stop anyone"
machine
echo 'exit 0' | tool cmake
echo 'exit 100' | tool apt-get
printf 'read -r line; case $line in *lmdb*) exit 1 ;; esac\n' | tool c++
if [ -e /usr/include/lmdb.h ] || [ -e /usr/local/include/lmdb.h ]; then
    skip "lmdb is installed here"
else
    expect_eq "$(deps bench | tail -n 2)" "tarn: going on without liblmdb-dev
exit 0"
    expect_eq "$(deps bench)" "exit 0"
fi

done_testing
