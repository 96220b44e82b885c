# The reference answers of data/README.md, as `tarn window` gives them from the files shipped.
# shellcheck shell=sh disable=SC1091,SC2154
. "$SOURCE_DIR/tests/tap.sh"
. "$SOURCE_DIR/tests/window.sh"

# column N [FILE]: one column of tab-separated output, without its header.
column() {
    tail -n +2 "${2:-$out}" | cut -f "$1"
}

sum() {
    awk '{ n += $1 } END { printf "%.0f\n", n }'
}

it "the data are the files that data/README.md describes"
expect_eq "$(cd "$SOURCE_DIR/data" && sha256sum ./*.gz | awk '{ print $1 }' | sort)" \
    "$(grep -o '`[0-9a-f]\{64\}`' "$SOURCE_DIR/data/README.md" | tr -d '`' | sort)"

it "Wikipedia: the sums of deleted by hour are those that Druid published"
run --time time --every 1h --agg 'n=count,sum(deleted)' -o tsv "$wikipedia"
expect_exit 0
expect_no_err
expect_eq "$(column 4 | paste -s -d ' ' | fold -s -w 72 | sed 's/ $//')" \
    "1761 16208 14543 13101 12040 6399 9036 11409 11616 17509 19406 16284
18672 30520 18025 26399 24759 19634 17345 19305 22265 16394 16379 15289"

it "Wikipedia: the hours begin at midnight UTC and hold 39,244 rows"
expect_eq "$(column 1 | sed -n '1p;24p' | paste -s -d ' ')" \
    "2015-09-12T00:00:00.000Z 2015-09-12T23:00:00.000Z"
expect_eq "$(column 3 | sum)" 39244

it "Wikipedia: 10,531 distinct users in one day"
run --time time --every 1d --agg 'distinct(user),n=count' -o csv --times ms "$wikipedia"
expect_exit 0
expect_out 'window_start,window_end,distinct(user),n
1442016000000,1442102400000,10531,39244'

it "Wikipedia: as many groups as distinct users"
run --time time --every 1d --by user -o tsv "$wikipedia"
expect_exit 0
expect_eq "$(column 3 | wc -l | tr -d ' ')" 10531
expect_eq "$(column 4 | sum)" 39244

it "Wikipedia: the pages with most edits are those that Druid published"
run --time time --every 1d --by page -o tsv "$wikipedia"
expect_exit 0
column 3,4 | awk -F '\t' '{ print $2 "\t" $1 }' | LC_ALL=C sort -t "$(printf '\t')" -k 1,1nr -k 2 |
    head -n 10 >"$work/pages"
expect_eq "$(cat "$work/pages")" "$(printf '%s\t%s\n' \
    33 "Wikipedia:Vandalismusmeldung" \
    28 "User:Cyde/List of candidates for speedy deletion/Subpage" \
    27 "Jeremy Corbyn" \
    21 "Wikipedia:Administrators' noticeboard/Incidents" \
    20 "Flavia Pennetta" \
    18 "Total Drama Presents: The Ridonculous Race" \
    18 "User talk:Dudeperson176123" \
    18 "Wikipédia:Le Bistro/12 septembre 2015" \
    17 "Wikipedia:In the news/Candidates" \
    17 "Wikipedia:Requests for page protection")"

it "Wikipedia: the five channels that added most are those that Druid published"
run --time time --every 1d --by channel --agg 'sum(added)' -o tsv "$wikipedia"
expect_exit 0
expect_eq "$(column 3,4 | sort -t "$(printf '\t')" -k 2,2nr | head -n 5)" "$(printf '%s\t%s\n' \
    '#en.wikipedia' 3045299 '#it.wikipedia' 711011 '#fr.wikipedia' 642555 \
    '#ru.wikipedia' 640698 '#es.wikipedia' 634670)"

it "USGS: with --late beyond all disorder every row counts, by type"
run --time time --every 7300d --late 4000d --by type -o tsv "$quakes"
expect_exit 0
expect_no_err
expect_eq "$(tail -n +2 "$out" | awk -F '\t' '{ n[$3] += $4 } END { for (t in n) print n[t], t }' |
    sort -nr | head -n 4)" \
    "94499 earthquake
842 quarry blast
540 explosion
228 ice quake"

it "USGS: the greatest magnitude, the first and the last time"
run --time time --every 36500d --late 4000d --times ms -o csv \
    --agg 'max(mag),first(time),last(time),n=count' "$quakes"
expect_exit 0
expect_eq "$(tail -n 1 "$out" | cut -d , -f 3-)" \
    "7.6,2015-08-01T00:07:41.000Z,2026-01-06T20:54:04.000Z,96125"

# dropped LATE: how many rows one-day windows drop, as -v tells, and as the counts are short of.
dropped() {
    run --time time --every 1d --late "$1" -o tsv -v "$quakes"
    expect_exit 0
    expect_err "rows 96125, taken $((96125 - $2)), late $2 (dropped), bad 0 (skipped)"
    expect_eq "$(column 3 | sum)" $((96125 - $2))
}

it "USGS: one-day windows with --late 0 drop 52,542 rows"
dropped 0 52542

it "USGS: one-day windows with --late 7d drop 18,764 rows"
dropped 7d 18764

it "dropped rows are told without -v, too"
run --time time --every 1d "$quakes"
expect_exit 0
expect_err "52542 of 96125 rows were late and left out; a greater --late waits for them"

done_testing
