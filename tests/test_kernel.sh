# The command on a real kernel that refuses: no room, a limit on files, no permission to write, a device that fails.
#
# File systems of a few MiB are mounted in a name space of this script's own, which takes them along when it ends. Whatever
# this machine does not allow is skipped, with the reason.
# shellcheck shell=sh disable=SC1091,SC2154,SC2034
. "$SOURCE_DIR/tests/tap.sh"

if [ -z "${KERNEL_MOUNTS:-}" ]; then
    if [ "$(id -u)" -eq 0 ] && unshare -m true 2>/dev/null; then
        KERNEL_MOUNTS=all exec unshare -m --propagation private sh "$0"
    elif unshare -Urm true 2>/dev/null; then
        KERNEL_MOUNTS=tmpfs exec unshare -Urm --propagation private sh "$0"
    fi
    KERNEL_MOUNTS=none
fi

. "$SOURCE_DIR/tests/window.sh"
cd "$work" || exit 1
mkdir mnt full || exit 1

# ends CODE... -- WORD...: tarn WORD... ends with one of these codes; what it says is in $err.
ends() {
    wanted=
    while [ "$1" != -- ]; do
        wanted="$wanted $1"
        shift
    done
    shift
    status=0
    timeout 60 "$TARN" "$@" >"$out" 2>"$err" </dev/null || status=$?
    case " $wanted " in
    *" $status "*) ;;
    *) fail "exit $status, not$wanted: tarn $*
$(head -c 1000 "$err")" ;;
    esac
}

# holds STORE FILE...: the store's entries are exactly those of one of the files.
holds() {
    "$TARN" dump "$1" >dumped 2>"$err" || {
        fail "dump: $(cat "$err")"
        return
    }
    shift
    for file in "$@"; do
        cmp -s dumped "$file" && return
    done
    fail "the store has $(grep -c . dumped) entries, as none of: $*"
}

lines() { # FROM TO TEXT
    awk -v from="$1" -v to="$2" -v text="$3" 'BEGIN {
        for (i = from; i < to; i++) printf "key%08d\t%s %d\n", i, text, i * 7
    }'
}

lines 0 2000 first >few
lines 0 30000 second >many
lines 0 30000 third >others
awk 'BEGIN {
    print "t,k,x"
    for (i = 0; i < 12000; i++)
        print 1000000 + i * 100 - (i % 17 == 0 ? 9000 : 0) "," (i % 700) "," i
}' >rows.csv
windows="--time t --time-format ms --every 5s --by k --agg count,sum(x)"
# shellcheck disable=SC2086
ends 0 -- window $windows --out made.wanted --late-to late.wanted rows.csv

# ---- no room -------------------------------------------------------------------------------------

# What fills up: a ballast takes all but so many KiB; where there is no room, it says so, and nothing is lost.
fill() {
    rm -rf mnt/* || return
    "$TARN" load mnt/store few >/dev/null 2>&1 || fail "load"
    dd if=/dev/zero of=mnt/ballast bs=1024 2>/dev/null
    free=$(($1 * 1024))
    size=$(wc -c <mnt/ballast)
    [ "$size" -gt "$free" ] || fail "the ballast has $size bytes only"
    truncate -s $((size - free)) mnt/ballast 2>/dev/null ||
        dd if=/dev/null of=mnt/ballast bs=1 seek=$((size - free)) 2>/dev/null
}

says_full() {
    [ "$status" -eq 0 ] || grep -q -e 'the disk is full' -e 'No space left' "$err" || fail "not said: the disk is full
$(cat "$err")"
}

stores_survive_a_full_disk() {
    refused=0
    for kib in 0 12 60 400 1400; do
        fill "$kib"
        cp few store.before
        ends 0 4 -- load mnt/store many
        says_full
        refused=$((refused + status / 4))
        holds mnt/store few many
        ends 0 4 -- put mnt/store a b
        says_full
        rm mnt/ballast
        ends 0 -- load mnt/store others
        ends 0 1 -- del mnt/store a
        holds mnt/store others
    done
    [ "$refused" -ge 3 ] || fail "only $refused loads were refused"
}

windows_survive_a_full_disk() {
    refused=0
    for kib in 0 40 120 500; do
        fill "$kib"
        # shellcheck disable=SC2086
        for try in 1 2 3 4; do
            ends 0 4 -- window $windows --state mnt/state --out mnt/out --late-to mnt/late --commit-every 700 rows.csv
            says_full
            refused=$((refused + status / 4))
            [ "$try" -lt 3 ] || rm -f mnt/ballast
        done
        expect_eq "$status" 0
        cmp mnt/out made.wanted || fail "with $kib KiB the output is another"
        cmp mnt/late late.wanted || fail "with $kib KiB the late rows are others"
    done
    [ "$refused" -ge 4 ] || fail "only $refused runs were refused"
}

on_tmpfs() {
    [ "$KERNEL_MOUNTS" != none ] || {
        skip "no name space of one's own for mounts here"
        return 1
    }
    mount -t tmpfs -o size="${1:-6m}" tmpfs mnt 2>"$err" || {
        skip "no tmpfs can be mounted: $(head -n 1 "$err")"
        return 1
    }
}

on_ext4() {
    [ "$KERNEL_MOUNTS" = all ] || {
        skip "only root can mount a file on a loop device"
        return 1
    }
    dd if=/dev/zero of=image bs=1024 count=8192 2>/dev/null
    { mkfs.ext4 -q -F -m 0 image && mount -o loop image mnt; } 2>"$err" || {
        skip "no ext4 on a loop device here: $(head -n 1 "$err")"
        return 1
    }
}

for system in tmpfs ext4; do
    it "on a full $system stores lose nothing, say so, and go on once there is room"
    if on_$system; then
        stores_survive_a_full_disk
        umount mnt
    fi
    it "on a full $system windows stop with exit 4, and end with the same output once there is room"
    if on_$system; then
        windows_survive_a_full_disk
        umount mnt
    fi
done

# One write, of which the kernel does a part before it says that there is no room.
it "what a refused commit wrote is room for the next"
if on_tmpfs 200k; then
    awk 'BEGIN { printf "large\t"; for (i = 0; i < 24000; i++) printf "0123456789"; print "" }' >large
    ends 0 -- put mnt/store a b
    ends 4 -- load mnt/store large
    says_full
    bytes=$(cat mnt/store/* | wc -c)
    [ "$bytes" -lt 20000 ] || fail "the store's files have $bytes bytes"
    ends 0 -- put mnt/store c d
    printf 'a\tb\nc\td\n' >both
    holds mnt/store both
    umount mnt
fi

# ---- a limit on files ----------------------------------------------------------------------------

it "at the size that files may have a commit is refused, and no signal kills"
"$TARN" load limited few >/dev/null 2>&1 || fail "load"
for blocks in 1 9 40 200 1000; do
    status=0
    (ulimit -f "$blocks" && exec "$TARN" load limited many) >"$out" 2>"$err" || status=$?
    expect_exit 4
    grep -q 'larger than is allowed' "$err" || fail "it said: $(cat "$err")"
    holds limited few
done
ends 0 -- load limited many
holds limited many

it "at the size that files may have windows stop with exit 4, and end with the same output without the limit"
for blocks in 1 20 100; do
    rm -rf S made late
    status=0
    # shellcheck disable=SC2086
    (ulimit -f "$blocks" &&
        exec "$TARN" window $windows --state S --out made --late-to late --commit-every 700 rows.csv) >"$out" 2>"$err" ||
        status=$?
    expect_exit 4
    # shellcheck disable=SC2086
    ends 0 -- window $windows --state S --out made --late-to late --commit-every 700 rows.csv
    cmp made made.wanted || fail "the output is another"
    cmp late late.wanted || fail "the late rows are others"
done

# ---- who may write -------------------------------------------------------------------------------

it "a directory that may only be read can be read, and not written"
"$TARN" load readable few >/dev/null 2>&1 || fail "load"
if [ "$KERNEL_MOUNTS" != none ] && mount --bind readable readable 2>/dev/null; then
    mount -o remount,ro,bind readable 2>/dev/null || skip "no bind mount can be made read-only here"
elif [ "$(id -u)" -ne 0 ]; then
    chmod 0500 readable && chmod 0400 readable/*
else
    skip "root may write whatever the permissions say, and nothing can be mounted"
fi
if [ -z "$tap_skip" ]; then
    holds readable few
    ends 0 -- get readable key00000007
    for verb in "put readable a b" "del readable key00000007" "load readable many"; do
        # shellcheck disable=SC2086
        ends 3 -- $verb
        grep -q -e 'Read-only file system' -e 'Permission denied' "$err" || fail "it said: $(cat "$err")"
    done
    # shellcheck disable=SC2086
    ends 3 4 -- window $windows --state readable/S --out made --late-to late rows.csv
    holds readable few
fi
umount readable 2>/dev/null || chmod -R u+w readable

it "a second writer is told so, changes nothing, and does not disturb the first"
mkfifo pipe
"$TARN" load shared few >/dev/null 2>&1 || fail "load"
"$TARN" load shared - <pipe >"$out" 2>&1 &
writer=$!
exec 3>pipe
tries=0
until ls -l "/proc/$writer/fd" 2>/dev/null | grep -q '/shared$' || [ $((tries += 1)) -gt 100 ]; do
    sleep 0.05
done
sleep 0.2
if [ "$tries" -gt 100 ]; then
    skip "it cannot be seen here when the first writer has the store"
else
    ends 3 -- load shared others
    grep -q 'another process has the store' "$err" || fail "it said: $(cat "$err")"
    holds shared few
fi
cat many >&3
exec 3>&-
wait "$writer" || fail "the first: exit $?: $(cat "$out")"
holds shared many

# ---- a device that fails -------------------------------------------------------------------------

# traced SYSTEMCALLS ERRNO WHEN WORD...: the WHEN-th call fails.
traced() {
    inject=$1:error=$2:when=$3
    shift 3
    status=0
    timeout 60 strace -f -q -o "$work/trace" -e trace="${inject%%:*}" -e inject="$inject" "$TARN" "$@" \
        >"$out" 2>"$err" </dev/null || status=$?
}

strace_works() {
    command -v strace >/dev/null || {
        skip "no strace here"
        return 1
    }
    case ${TARN_BUILD_FLAGS:-} in
    *sanitize*)
        skip "the leak sanitizer does not run under strace"
        return 1
        ;;
    esac
    strace -o "$work/trace" -e trace=none true 2>/dev/null || {
        skip "strace may trace nothing here"
        return 1
    }
}

# Each of the calls in turn, until the command makes no more of them.
# fails_in_turn SYSTEMCALLS ERRNO TEXT FEWEST
fails_in_turn() {
    when=1
    while [ "$when" -lt 60 ]; do
        rm -rf device
        "$TARN" load device few >/dev/null 2>&1 || fail "load"
        traced "$1" "$2" "$when" load device some
        grep -q INJECTED "$work/trace" || break
        expect_exit 4
        grep -q "$3" "$err" || fail "call $when: it said: $(cat "$err")"
        holds device few some
        ends 0 -- load device some
        holds device some
        when=$((when + 1))
    done
    expect_exit 0
    [ "$when" -gt "$4" ] || fail "only $((when - 1)) calls were made to fail"
    holds device some
}

lines 0 3000 fourth >some

it "a write that fails ends the load with exit 4, and loses nothing"
! strace_works || fails_in_turn pwrite64 EIO 'device failed (errno 5)\|earlier write failed' 3

it "a sync that fails ends the load with exit 4, and loses nothing"
! strace_works || fails_in_turn fdatasync,fsync EIO 'device failed (errno 5)\|earlier write failed' 3

it "a write for which there is no room ends the load with exit 4, and loses nothing"
! strace_works || fails_in_turn pwrite64 ENOSPC 'disk is full (errno 28)\|a limit was reached' 3

it "windows whose device fails stop with exit 4, and end with the same output"
if strace_works; then
    for fault in pwrite64:EIO:2 pwrite64:EIO:9 fdatasync:EIO:3 fdatasync:EIO:12 pwrite64:ENOSPC:5 write:EIO:2 fsync:EIO:1; do
        rm -rf S made late
        when=${fault##*:}
        # shellcheck disable=SC2086
        traced "${fault%%:*}" "$(echo "$fault" | cut -d : -f 2)" "$when" window $windows --state S --out made --late-to late \
            --commit-every 700 rows.csv
        if grep -q INJECTED "$work/trace"; then
            expect_exit 4
        else
            fail "$fault: there are no so many calls"
        fi
        # shellcheck disable=SC2086
        ends 0 -- window $windows --state S --out made --late-to late --commit-every 700 rows.csv
        cmp made made.wanted || fail "$fault: the output is another"
        cmp late late.wanted || fail "$fault: the late rows are others"
    done
fi

done_testing
