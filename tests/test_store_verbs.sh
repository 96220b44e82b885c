# The verbs on a store in a directory: what they print, refuse and answer.
# shellcheck shell=sh disable=SC1091,SC2154
. "$SOURCE_DIR/tests/tap.sh"

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
store=$work/store

# answers CODE WORD...: tarn WORD... ends with that exit code; $out and $err have what it said.
answers() {
    wanted=$1
    shift
    status=0
    "$TARN" "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
    out=$(cat "$work/out")
    err=$(cat "$work/err")
    [ "$status" -eq "$wanted" ] || fail "exit $status, not $wanted: tarn $*
$err"
}

says() {
    case $err in
    *"$1"*) ;;
    *) fail "not said: $1
said: $err" ;;
    esac
}

it "what was put is got, and absent once it is deleted"
answers 0 put "$store" apple red
answers 0 put "$store" pear green
answers 0 get "$store" apple
expect_eq "$out" red
answers 0 put "$store" apple yellow
expect_eq "$("$TARN" get "$store" apple | od -An -c | tr -d ' ')" yellow
answers 0 del "$store" apple
answers 1 get "$store" apple
expect_eq "$out$err" ""
answers 1 del "$store" apple pear
answers 1 get "$store" pear

it "a value may come from standard input, and be empty"
printf 'a\0b\n' | "$TARN" put "$store" s || fail "put"
expect_eq "$("$TARN" get "$store" 73 --hex)" 6100620a
head -c 300000 /dev/zero | "$TARN" put "$store" large || fail "put"
expect_eq "$("$TARN" get "$store" large | wc -c | tr -d ' ')" 300000
answers 0 put "$store" empty ""
answers 0 get "$store" empty
expect_eq "$out" ""
answers 0 del "$store" s large empty

it "keys may be empty, begin with a dash, and be any bytes in hex"
answers 0 put "$store" "" nothing
answers 0 get "$store" ""
expect_eq "$out" nothing
answers 0 put "$store" --hex 00ff0a 0D00
answers 0 get "$store" --hex 00FF0A
expect_eq "$out" 0d00
answers 0 put -- "$store" -x dash
answers 0 get -- "$store" -x
expect_eq "$out" dash
answers 2 get "$store" --hex 0
answers 2 put "$store" --hex 00 zz
answers 2 del "$store" --hex 00ff0a 0x
says "nothing was deleted"
answers 0 del "$store" --hex 00ff0a 2d78 ""

it "options may stand behind arguments, whatever POSIXLY_CORRECT says, and behind -- there are none"
rm -rf "$work/order"
export POSIXLY_CORRECT=1
answers 0 put "$work/order" 6b --hex 76 --table two
answers 0 get "$work/order" k --table two
expect_eq "$out" v
answers 1 del "$work/order" --table two -- --table two k
answers 1 get "$work/order" k --table two
answers 0 put --table=two "$work/order" -- -1 --hex
answers 0 get "$work/order" --table two -- -1
expect_eq "$out" --hex
unset POSIXLY_CORRECT
answers 2 put "$work/order" k -1
says "unknown option -1; tarn put --help lists them all, and behind '--' it is none"

it "tables are apart, and one that is absent is a negative answer"
answers 0 put "$store" k other --table two
answers 1 get "$store" k
answers 0 get "$store" k --table two
expect_eq "$out" other
answers 1 get "$store" k --table three
says "no table 'three'"
answers 1 del "$store" k --table three

it "a command line that is wrong is exit 2"
for verb in get put del; do
    answers 2 "$verb"
    answers 2 "$verb" "$store"
done
answers 2 get "$store" a b
says "'b' is too much"
answers 2 put "$store" a b c

it "what is no store is exit 3, and is left as it is"
: >"$work/file"
mkdir "$work/nothing"
for verb in get del scan dump stat check salvage; do
    set -- k
    case $verb in
    scan | dump | stat | check) set -- ;;
    salvage) set -- "$work/new" ;;
    esac
    answers 3 "$verb" "$work/none" "$@"
    says "name the directory of a store"
    answers 3 "$verb" "$work/file" "$@"
    says "not a directory; name the directory of a store"
    answers 3 "$verb" "$work/nothing" "$@"
    says "there is no store in it"
done
expect_eq "$(ls "$work/nothing")" ""
[ ! -e "$work/none" ] || fail "made"
[ ! -e "$work/new" ] || fail "salvaged"
answers 3 put "$work/file" k v
expect_eq "$(cat "$work/file")" ""

it "a symbolic link to a store is not followed, with a slash behind it or without"
rm -rf "$work/real"
answers 0 put "$work/real" k v
ln -s real "$work/link"
ln -s none "$work/dangling"
ln -s file "$work/file-link"
before=$(cat "$work/real"/* | cksum)
for link in "$work/link" "$work/link/" "$work/dangling" "$work/file-link"; do
    for verb in get put del scan dump stat check salvage; do
        set -- k
        case $verb in
        scan | dump | stat | check) set -- ;;
        put) set -- k other ;;
        salvage) set -- "$work/new" ;;
        esac
        answers 3 "$verb" "$link" "$@"
        says "$link: a symbolic link, which is not followed; name the directory that it leads to"
    done
done
for link in "$work/link" "$work/dangling"; do
    answers 3 salvage "$work/real" "$link"
    says "$link: a symbolic link, which is not followed; name the directory that it leads to"
done
expect_eq "$(cat "$work/real"/* | cksum)" "$before"
[ ! -e "$work/none" ] || fail "made through a link"
[ ! -e "$work/new" ] || fail "salvaged through a link"
expect_eq "$(cat "$work/file")" ""
answers 0 get "$work/real" k
expect_eq "$out" v

it "a symbolic link in a store is said to be one, and nothing is written to what it names"
first=0000000000000001.tarn
cp "$work/real/$first" "$work/moved"
mv "$work/real/$first" "$work/second"
ln -s ../moved "$work/real/$first"
answers 4 get "$work/real" k
says "$first, offset 0: it cannot be opened: it is a symbolic link"
answers 4 put "$work/real" k other
says "$first, offset 0: it cannot be opened: it is a symbolic link"
answers 1 check "$work/real"
says "$first, offset 0: it is a symbolic link, which is not followed; put the file itself there"
case $out in
"refused	$first	0	-	-	it is a symbolic link, which is not followed; put the file itself there") ;;
*) fail "said: $out" ;;
esac
answers 3 salvage "$work/real" "$work/new"
says "$first, offset 0: it is a symbolic link, which is not followed; put the file itself there"
[ ! -e "$work/new" ] || fail "salvaged through a link"
cmp -s "$work/moved" "$work/second" || fail "written to"
rm "$work/real/$first"
mv "$work/second" "$work/real/$first"
answers 0 check "$work/real"

it "a key, a bound or a table's name that is too long is refused with how long it may be, and nothing is made"
long=$(head -c 65536 /dev/zero | tr '\0' x)
rm -rf "$work/made"
answers 3 put "$work/made" "$long" v
says "tarn put: KEY has 65536 bytes; a key has at most 65535"
answers 3 get "$store" "$long"
says "tarn get: KEY has 65536 bytes; a key has at most 65535"
answers 3 del "$store" "$long"
says "tarn del: nothing was deleted: KEY has 65536 bytes; a key has at most 65535"
for bound in prefix from to; do
    answers 2 scan "$store" --"$bound" "$long"
    says "tarn scan: option --$bound has 65536 bytes; a key has at most 65535"
done
for name in "" "$(printf %.256s "$long")"; do
    answers 2 put "$work/made" k v --table "$name"
    says "tarn put: option --table: its name has ${#name} bytes; write one of 1 to 255"
    answers 2 load "$work/made" --table "$name"
    for verb in get del; do
        answers 2 "$verb" "$store" k --table "$name"
    done
    answers 2 scan "$store" --table "$name"
    answers 2 dump "$store" --table "$name"
    says "tarn dump: option --table: its name"
done
[ ! -e "$work/made" ] || fail "made"
printf 'k\tv\n%s\tv\n' "$long" >"$work/lines"
answers 3 load "$work/made" "$work/lines"
says "$work/lines:2: its key has 65536 bytes; a key has at most 65535"

it "what is no store, and where none can be made, is said in words of the command line"
mkdir "$work/bare"
for verb in get del scan dump stat check salvage; do
    set -- k
    case $verb in
    scan | dump | stat | check) set -- ;;
    salvage) set -- "$work/new" ;;
    esac
    answers 3 "$verb" "$work/bare" "$@"
    expect_eq "$err" "tarn $verb: $work/bare: there is no store in it; name the directory of a store"
    answers 3 "$verb" "" "$@"
    expect_eq "$err" "tarn $verb: the name is empty; write that of a directory"
done
answers 3 put "" k v
says "the name is empty"
answers 3 salvage "$store" ""
says "the name is empty"
answers 3 put "$work/bare/no/such" k v
expect_eq "$err" "tarn put: $work/bare/no/such: it cannot be made, since $work/bare/no is not there; make that first, or name another"
answers 3 salvage "$store" "$work/bare/no/such/"
says "tarn salvage: $work/bare/no/such/: it cannot be made, since $work/bare/no is not there"
answers 0 put "$work/filled" k v
answers 3 salvage "$work/filled" "$work/filled"
expect_eq "$err" "tarn salvage: $work/filled: the target is not empty; name a new directory; nothing was made"

it "standard input that is a directory is refused as one, and a help text names only what there is"
status=0
"$TARN" put "$store" k <"$work" 2>"$work/err" || status=$?
expect_eq "$status" 3
answers 0 dump --help
case $out in
*" P and K"*) fail "dump has neither" ;;
esac

it "scan prints a range, a prefix, both ways, so many"
rm -rf "$store"
for key in a ab abc b c; do
    answers 0 put "$store" "$key" "v$key"
done
keys() {
    answers 0 scan "$store" "$@"
    printf '%s\n' "$out" | cut -f 1 | tr '\n' ' '
}
expect_eq "$(keys)" "a ab abc b c "
expect_eq "$(keys --reverse)" "c b abc ab a "
expect_eq "$(keys --from ab --to c)" "ab abc b "
expect_eq "$(keys --prefix ab --reverse)" "abc ab "
expect_eq "$(keys --limit 2)" "a ab "
expect_eq "$(keys --limit 0)" " "
expect_eq "$(keys --hex --prefix 6162)" "6162 616263 "
answers 0 scan "$store" -o ndjson --limit 1
expect_eq "$out" '{"key":"a","value":"va"}'
answers 0 dump "$store"
expect_eq "$out" "$("$TARN" scan "$store")"

it "scan refuses what it cannot do"
answers 2 scan
answers 2 scan "$store" --limit 1x
answers 2 scan "$store" --limit 99999999999999999999
answers 2 scan "$store" -o csv
answers 2 scan "$store" --hex --from 0
answers 2 dump "$store" --reverse
answers 1 scan "$store" --table none
answers 1 dump "$store" --table none

it "odd bytes are escaped, and tell what they are"
answers 0 put "$store" --hex 090a0d5c 0041ff --table odd
answers 0 scan "$store" --table odd
expect_eq "$out" '\t\n\r\\	\x00A\xff'
answers 0 dump "$store" --table odd --hex
expect_eq "$out" '090a0d5c	0041ff'

it "whoever reads the output may leave: exit 141, no message"
head -c 2000000 /dev/zero | tr '\0' x | "$TARN" put "$store" z || fail "put"
status=$({ "$TARN" scan "$store" --from z 2>"$work/err"; echo $? >"$work/status"; } | head -c 1 >"$work/out"; cat "$work/status")
expect_eq "$status$(cat "$work/err")" 141
answers 0 del "$store" z

it "a damaged store is refused with file and offset"
answers 0 dump "$store"
rm -rf "$work/damaged"
cp -R "$store" "$work/damaged"
damage() { # one byte in the middle of the newest file
    for file in "$1"/*; do
        [ -f "$file" ] && newest=$file
    done
    printf '\377' | dd of="$newest" bs=1 seek="$2" conv=notrunc 2>/dev/null
}
damage "$work/damaged" 4110
for verb in scan dump; do
    answers 3 "$verb" "$work/damaged"
    says "damaged"
done
answers 3 put "$work/damaged" k v

it "dump and load make the same entries again, plain and in hex"
answers 0 put "$store" --table default --hex 00fe0a09 5c0d
answers 0 put "$store" "" ""
"$TARN" dump "$store" >"$work/dump" || fail "dump"
"$TARN" load "$work/copy" <"$work/dump" || fail "load"
expect_eq "$("$TARN" dump "$work/copy")" "$(cat "$work/dump")"
"$TARN" dump "$store" --hex >"$work/hex" || fail "dump --hex"
answers 0 load "$work/copy" "$work/hex" --hex --table two
expect_eq "$("$TARN" dump "$work/copy" --table two)" "$(cat "$work/dump")"
printf 'a\t1\nb\t2' | gzip | "$TARN" load "$work/copy" --table z || fail "load"
expect_eq "$("$TARN" scan "$work/copy" --table z)" 'a	1
b	2'

it "a bad line ends the load with its place; what was committed before stays"
{
    i=0
    awk 'BEGIN { for (i = 0; i < 100002; i++) print i "\tv" }'
    echo 'no tab'
} >"$work/lines"
answers 3 load "$work/copy" "$work/lines" --table bad
says "$work/lines:100003: there is no tab"
says "first 100000 lines are committed"
expect_eq "$("$TARN" scan "$work/copy" --table bad | wc -l | tr -d ' ')" 100000
answers 3 load "$work/copy" "$work/none"
answers 3 load "$work/copy" "$work"
answers 3 load "$work/copy" "$work/lines" --hex --table hex
answers 1 scan "$work/copy" --table hex
answers 2 load

it "stat prints commit, note, files and tables, as text and as one JSON object"
rm -rf "$store"
answers 0 put "$store" k v
answers 0 put "$store" a 12 --table "$(printf 'tab\there')"
answers 0 stat "$store"
for line in "store	$store" "note	" "commit	2" "synced	2" "entries	2" "entry_bytes	5" \
    "table	default	ordered	1	2" 'table	tab\there	ordered	1	3'; do
    printf '%s\n' "$out" | grep -qxF "$line" || fail "no line '$line' in: $out"
done
[ -z "$(printf '%s\n' "$out" | grep '^dropped')" ] || fail "nothing was dropped"
answers 0 stat --json "$store"
expect_eq "$(printf '%s\n' "$out" | wc -l | tr -d ' ')" 1
python3 -c 'import json, sys
facts = json.load(sys.stdin)
assert facts["commit"] == 2 and facts["note"] == "" and facts["note_hex"] == "", facts
assert facts["dropped_bytes"] == 0 and facts["files"] >= 1, facts
assert [t["name"] for t in facts["tables"]] == ["default", "tab\there"], facts
assert facts["tables"][1] == {"name": "tab\there", "kind": "ordered", "entries": 1, "bytes": 3}' \
    <"$work/out" || fail "JSON: $out"
answers 2 stat
answers 2 stat "$store" more

# hurt FILE OFFSET: one bit of it is another.
hurt() {
    python3 -c 'import sys
path, offset = sys.argv[1], int(sys.argv[2])
with open(path, "r+b") as file:
    file.seek(offset)
    byte = file.read(1)[0]
    file.seek(offset)
    file.write(bytes([byte ^ 4]))' "$1" "$2"
}

it "check finds a whole store whole, and says what it read"
rm -rf "$store" "$work/new"
printf 'a\t1\nb\t2\n' | "$TARN" load "$store" || fail "load"
answers 0 put "$store" c 3 --table two
answers 0 check "$store"
expect_eq "$out" ""
says "whole: commit 2, "
says "2 files were read"

it "salvage copies a store that opens"
answers 0 salvage "$store" "$work/new"
expect_eq "$out" ""
says "3 entries in 2 tables, as of commit 2"
for table in default two; do
    expect_eq "$("$TARN" dump "$work/new" --table "$table")" "$("$TARN" dump "$store" --table "$table")"
done
answers 0 check "$work/new"

it "salvage makes nothing where something is"
before=$(cat "$work/new"/* | cksum)
answers 3 salvage "$store" "$work/new"
says "the target is not empty; name a new directory"
answers 3 salvage "$store" "$store"
says "not empty"
answers 3 salvage "$store" "$work/file"
says "not a directory"
expect_eq "$(cat "$work/new"/* | cksum)" "$before"
answers 2 salvage "$store"
answers 2 check
answers 2 check "$store" "$store"

it "check tells damage by file and offset with exit 1, and changes nothing"
last=$(ls "$store"/*.tarn | tail -n 1)
hurt "$last" 4100
before=$(cat "$store"/* | cksum)
answers 1 check "$store"
expect_eq "$(printf '%s\n' "$out" | cut -f 1-3)" "lost	$(basename "$last")	4096"
says "damaged, places: 1: "
says "tarn salvage saves the rest"
expect_eq "$(cat "$store"/* | cksum)" "$before"
answers 3 get "$store" a

it "salvage saves the rest with exit 1, tells what is lost, and leaves the damaged store as it is"
rm -rf "$work/new"
answers 1 salvage "$store" "$work/new"
expect_eq "$(printf '%s\n' "$out" | cut -f 1-3)" "lost	$(basename "$last")	4096"
says "1 lost something"
expect_eq "$("$TARN" dump "$work/new")" 'a	1
b	2'
answers 0 check "$work/new"
expect_eq "$(cat "$store"/* | cksum)" "$before"

it "what is in a store's files' place and is no file is told, not waited for"
rm -rf "$work/odd"
mkdir "$work/odd"
mkfifo "$work/odd/0000000000000001.tarn"
answers 1 check "$work/odd"
says "damaged"
expect_eq "$(printf '%s\n' "$out" | cut -f 1,2)" "refused	0000000000000001.tarn"
answers 3 salvage "$work/odd" "$work/never"
rm "$work/odd"/*
ln -s "$last" "$work/odd/0000000000000001.tarn"
answers 1 check "$work/odd"
answers 3 salvage "$work/odd" "$work/never"
[ ! -e "$work/never" ] || fail "made"
printf 'no store at all, but a long text in its place%5000s' "" >"$work/long"
rm "$work/odd"/*
cp "$work/long" "$work/odd/0000000000000001.tarn"
answers 1 check "$work/odd"
answers 3 salvage "$work/odd" "$work/never"

it "too little memory is exit 4, and says what a store needs"
if (ulimit -v 1000000 && "$TARN" version) >/dev/null 2>&1; then # not under sanitizers
    answers 0 put "$work/fit" k v
    for verb in get check stat salvage; do
        set -- k
        case $verb in
        stat | check) set -- ;;
        salvage) set -- "$work/never" ;;
        esac
        status=0
        err=$( (ulimit -v 1000000 && exec "$TARN" "$verb" "$work/fit" "$@" 2>&1 >/dev/null)) || status=$?
        expect_eq "$verb $status" "$verb 4"
        says "tarn $verb: $work/fit: out of memory; a store needs memory for all it holds, and 1 GiB of addresses"
    done
else
    skip "address space cannot be limited here"
fi

it "a disk that is full when a store is closed says that what was committed stays"
closed=no
for limit in 4 6 8 10 12 14 16; do # blocks of 512 or 1024 bytes, as the shell counts
    rm -rf "$work/new"
    status=0
    err=$( (ulimit -f "$limit" && exec "$TARN" put "$work/new" k v 2>&1)) || status=$?
    case $(printf '%s\n' "$err" | head -n 1) in # a build that counts lines complains of the limit, too
    *"closed; all was done, and what was committed stays")
        closed=yes
        expect_eq "$status" 4
        expect_eq "$("$TARN" get "$work/new" k)" v
        ;;
    esac
done
expect_eq "$closed" yes

it "a full disk is exit 4, and leaves the target empty"
rm -rf "$work/new"
(ulimit -f 2 && "$TARN" salvage "$store" "$work/new" >/dev/null 2>"$work/err") && fail "no failure"
[ -z "$(ls "$work/new" 2>/dev/null)" ] || fail "left: $(ls "$work/new")"

it "a signal ends a verb while it reads a store, at once, and the store stays as it is"
rm -rf "$store" "$work/new"
awk 'BEGIN { for (i = 0; i < 300000; i++) print i "\tvalue" i }' | "$TARN" load "$store" || fail "load"
before=$(cat "$store"/* | cksum)
# It is stopped while it has a file of the store open, so it is in the middle of its work.
in_the_middle() {
    kill -STOP "$process"
    ls -l "/proc/$process/fd" 2>/dev/null | grep -q "$store/" && return 0
    kill -CONT "$process"
    return 1
}
# ended_by SIGNAL CODE VERB ARGUMENT...
ended_by() {
    signal=$1
    wanted=$2
    shift 2
    tries=0
    status=none # until it was met in the middle
    while [ "$status" = none ] && [ $((tries += 1)) -le 20 ]; do
        env --default-signal="$signal" "$TARN" "$@" >"$work/out" 2>"$work/err" &
        process=$!
        while kill -0 "$process" 2>/dev/null; do
            if in_the_middle; then
                kill -s "$signal" "$process"
                kill -CONT "$process"
                status=met
                break
            fi
        done
        code=0
        wait "$process" 2>/dev/null || code=$?
        [ "$status" = none ] || status=$code
    done
    expect_eq "$1: $status" "$1: $wanted"
}
if [ -d "/proc/$$/fd" ]; then
    ended_by INT 130 stat "$store"
    ended_by TERM 143 check "$store"
    ended_by TERM 143 get "$store" 1
    ended_by HUP 129 scan "$store"
    ended_by INT 130 put "$store" k v
    ended_by INT 130 del "$store" 1
    ended_by INT 130 salvage "$store" "$work/new"
    expect_eq "$(cat "$store"/* | cksum)" "$before"
else
    skip "there is no /proc here"
fi

it "beside a live writer: reading works, writing is refused with what to do"
mkfifo "$work/pipe"
"$TARN" load "$work/copy" - <"$work/pipe" &
writer=$!
exec 3>"$work/pipe"
printf 'live\t1\n' >&3
# Until the writer has opened the directory; a put meanwhile could take the lock that it wants.
tries=0
until ls -l "/proc/$writer/fd" 2>/dev/null | grep -q "$work/copy\$" || [ $((tries += 1)) -gt 200 ]; do
    sleep 0.05
done
sleep 0.2
answers 3 put "$work/copy" k v
says "another process has the store; try again"
answers 3 del "$work/copy" k
answers 3 load "$work/copy" "$work/dump"
answers 0 scan "$work/copy" --table z
answers 0 stat "$work/copy"
answers 0 check "$work/copy"
answers 0 salvage "$work/copy" "$work/beside"
answers 1 get "$work/copy" live
printf 'last\t2\n' >&3
kill -TERM "$writer"
wait "$writer"
expect_eq "$?" 143
exec 3>&-
answers 0 get "$work/copy" live
expect_eq "$out" 1

done_testing
