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
for verb in get del; do
    answers 3 "$verb" "$work/none" k
    says "name the directory of a store"
    answers 3 "$verb" "$work/file" k
    answers 3 "$verb" "$work/nothing" k
done
expect_eq "$(ls "$work/nothing")" ""
[ ! -e "$work/none" ] || fail "made"
answers 3 put "$work/file" k v

it "a key that is too long is refused"
long=$(head -c 65536 /dev/zero | tr '\0' x)
answers 3 put "$store" "$long" v

#NEXT
done_testing
