# kill -9 and SIGTERM of `tarn window --state` at random moments: the final output is that of a run that was never
# interrupted. KILLS=N (default 60) in all by kill -9, a third as many by SIGTERM; SEED=N other moments.
# shellcheck shell=sh disable=SC1091,SC2154
. "$SOURCE_DIR/tests/tap.sh"
. "$SOURCE_DIR/tests/window.sh"

command -v python3 >/dev/null || skip_all "there is no python3"

cases="tumbling plain hops overlap nodes sessions sequence merge hops-merge sessions-merge late changes every clock one bad"
kills_each=$(((${KILLS:-60} + 15) / 16))

killed() {
    rm -rf "$work/kills"
    mkdir "$work/kills"
    if said=$(cd "$work/kills" && python3 "$SOURCE_DIR/tests/window_kills.py" "$1" "$2" "${SEED:-1}" 2>&1); then
        echo "# $said"
    else
        fail "$said"
    fi
}

for case in $cases; do
    it "after kill -9 at random moments the output is the same: $case"
    killed "$case" "$kills_each"
done

for case in $cases; do
    it "after SIGTERM at random moments the output is the same: $case"
    killed "term-$case" $(((kills_each + 2) / 3))
done

done_testing
