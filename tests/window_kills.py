"""Kill `tarn window --state` at random moments, run the same command again, compare in the end.

    window_kills.py CASE KILLS [SEED]        CASE: one of CASES, or 'term-' and one; in an empty directory

Each run is given a time to live between nothing and what an uninterrupted one takes; then comes kill -9 (or
SIGTERM). The same command is run until it ends by itself: --out and --late-to must then be, byte by byte, what a
run without --state writes. That is repeated until KILLS processes have died so, and one at least has gone on. TARN
and SOURCE_DIR are in the environment. The only answers allowed are 0, the signal, and a finished state.
"""
import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time

TARN = os.environ["TARN"]
DATA = os.path.join(os.environ["SOURCE_DIR"], "data")
WIKIPEDIA = os.path.join(DATA, "wikipedia_edits_2015-09-12.ndjson.gz")
QUAKES = os.path.join(DATA, "usgs_quakes_by_update.csv.gz")
EDITS = ["--time", "time", "--by", "channel", "--agg",
         "n=count,sum(added),avg(delta),users=distinct(user),first(page),last(page)"]
REPORTS = ["--time", "time", "--agg", "n=count,max(mag),avg(mag),first(mag)"]

# name: (options, inputs, commit-every)
CASES = {
    "tumbling": (EDITS + ["--every", "10m"], "gz", "2000"),
    "plain": (EDITS + ["--every", "1h", "-o", "tsv", "--times", "ms"], "plain", "1500"),
    "hops": (EDITS + ["--every", "1h", "--slide", "15m", "-o", "ndjson"], "gz", "2500"),
    "sessions": (EDITS + ["--session", "5m"], "gz", "2000"),
    "sequence": (EDITS + ["--every", "30m"], "parts", "2000"),
    "merge": (EDITS + ["--every", "2s", "--merge", "--grace", "1h", "--emit", "changes"], "shares", "2000"),
    "late": (REPORTS + ["--every", "1d", "--late", "1d", "--late-to", "late.csv"], "quakes", "600"),
    "changes": (REPORTS + ["--every", "1d", "--grace", "10d", "--emit", "changes", "--late-to", "late.csv"],
                "quakes", "600"),
    "every": (EDITS + ["--session", "10m", "--emit", "every=1h"], "gz", "2000"),
    "overlap": (EDITS + ["--every", "1h", "--slide", "10m", "--grace", "30m", "--emit", "changes"], "gz", "2000"),
    "nodes": (REPORTS + ["--every", "2d", "--slide", "1h", "--late", "12h", "--late-to", "late.csv"], "quakes", "3000"),
    "hops-merge": (EDITS + ["--every", "1h", "--slide", "15m", "--merge", "--emit", "every=20m"], "shares", "2000"),
    "sessions-merge": (REPORTS + ["--by", "type", "--session", "6h", "--late", "1d", "--grace", "2d", "--merge",
                                  "--emit", "changes", "--late-to", "late.csv"], "quake-shares", "1500"),
    "clock": (EDITS + ["--every", "10m"], "gz", "5ms"),
    "one": (REPORTS + ["--every", "1d", "--late-to", "late.csv"], "few", "1"),
    "bad": (["--time", "t", "--by", "k", "--every", "1s", "--late", "1s", "--late-to", "late.csv",
             "--agg", "count,sum(x)"], "bad", "1500"),
}


def write(name, data):
    with open(name, "wb") as file:
        file.write(data)
    return name


def bad_rows():
    """Rows out of order, with quoted line ends, bad numbers and quotes that never close."""
    draw = random.Random(5)
    yield b"t,k,x\n"
    for i in range(30000):
        t = 1000000000000 + i * 37 + draw.randrange(3000)
        key = draw.choice([b"a", b"b", b'"c,\n""d"""', b"e"])
        x = b"%d.%02d" % (draw.randrange(1000), draw.randrange(100)) if draw.random() > 0.01 else b"none"
        if draw.random() < 0.002:
            key = b'"open'
        yield b"%d,%s,%s\n" % (t, key, x)


def inputs(kind):
    if kind == "gz":
        return [WIKIPEDIA]
    if kind == "quakes":
        return [QUAKES]
    if kind == "bad":
        return [write("bad.csv", b"".join(bad_rows()))]
    lines = gzip.open(QUAKES if kind in ("few", "quake-shares") else WIKIPEDIA).read().splitlines(keepends=True)
    if kind == "few":
        return [write("few.csv", b"".join(lines[:120]))]
    if kind == "plain":
        return [write("edits.ndjson", b"".join(lines))]
    if kind == "shares":  # each in order of its own, every third row
        return [write("share%d.ndjson" % i, b"".join(lines[i::3])) for i in range(3)]
    if kind == "quake-shares":
        return [write("share%d.csv" % i, b"".join(lines[:1] + lines[1 + i::3])) for i in range(3)]
    cut = len(lines) // 3
    parts = [lines[:cut], lines[cut:2 * cut], lines[2 * cut:]]
    names = [write("part%d.ndjson" % i, b"".join(part)) for i, part in enumerate(parts[:2])]
    with gzip.open("part2.ndjson.gz", "wb") as file:
        file.write(b"".join(parts[2]))
    return names + ["part2.ndjson.gz"]


def read(name):
    with open(name, "rb") as file:
        return file.read()


def outputs():
    return [read(name) for name in ("out", "late.csv") if os.path.exists(name)]


def remove(*names):
    for name in names:
        if os.path.isdir(name):
            for inside in os.listdir(name):
                os.unlink(os.path.join(name, inside))
            os.rmdir(name)
        elif os.path.exists(name):
            os.unlink(name)


def main():
    case, kills_wanted = sys.argv[1], int(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    draw = random.Random(case + str(seed))
    how = signal.SIGTERM if case.startswith("term-") else signal.SIGKILL
    options, kind, commit = CASES[case.removeprefix("term-")]
    command = [TARN, "window", *options, "--out", "out", *inputs(kind)]
    durable = command + ["--state", "state", "--commit-every", commit]

    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    wanted = outputs()
    remove("out", "late.csv")
    began = time.monotonic()
    subprocess.run(durable, check=True, stderr=subprocess.DEVNULL)
    takes = time.monotonic() - began
    if outputs() != wanted:
        sys.exit("%s: with --state, and no kill, the output differs" % case)

    kills = ended = resumed = 0

    def enough():
        """Short runs are seldom met between two commits: they are tried until one was."""
        return kills >= kills_wanted and (resumed > 0 or kills >= 300)

    while not enough() or ended == 0:
        remove("out", "late.csv", "state")
        while True:
            with open("err", "wb") as err:
                process = subprocess.Popen(durable + ["-v"], stderr=err)
                try:
                    process.wait(None if enough() else draw.uniform(0, takes))
                except subprocess.TimeoutExpired:
                    process.send_signal(how)
                code = process.wait()
            said = read("err").decode(errors="replace")
            resumed += "going on behind row" in said
            if code == 0:
                break
            if code not in (-how, 128 + how):
                sys.exit("%s: exit %d after %d kills: %s" % (case, code, kills, said))
            kills += 1
        ended += 1
        if outputs() != wanted:
            for name, data in zip(("out", "late.csv"), wanted):
                write(name + ".wanted", data)
            sys.exit("%s: the output differs after %d kills (seed %d)" % (case, kills, seed))
    if resumed == 0:
        sys.exit("%s: no run went on from a commit" % case)
    print(json.dumps({"case": case, "kills": kills, "resumed": resumed, "compared": ended, "seed": seed}))


main()
