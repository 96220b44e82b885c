#!/usr/bin/env python3
"""An independent `tarn window`, and random inputs on which both must agree to the byte.

    tests/window_oracle.py TARN WORK_DIR SEED CASES

Plain Python with exact fractions; written from docs/WINDOWS.md, not from the source. Each case is a
small table with odd times, odd numbers, odd texts and random options; it is written as csv, tsv and
ndjson, and the rows that come out, and the counts of late and bad rows, are compared.
"""
import csv
import datetime
import io
import itertools
import json
import os
import random
import re
import subprocess
import sys
from fractions import Fraction

NUMBER = re.compile(r"([+-]?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?")
BAD = object()
LIMIT = 2**127
NUMERIC = ("sum", "min", "max", "avg")


# ---- values -------------------------------------------------------------------------------------


def number(text):
    """The exact value, or BAD: no number, more than 18 decimals, more than 128 bits."""
    match = NUMBER.fullmatch(text)
    if match is None:
        return BAD
    value = Fraction(text)
    scaled = value * 10**18
    if scaled.denominator != 1:
        return BAD
    scale = 0
    while (value * 10**scale).denominator != 1:
        scale += 1
    return value if -LIMIT <= value * 10**scale < LIMIT else BAD


def canonical(value):
    """No exponent, no trailing zeros, no -0."""
    scaled = value * 10**18
    assert scaled.denominator == 1
    digits = str(abs(int(scaled))).rjust(19, "0")
    whole, decimals = digits[:-18], digits[-18:].rstrip("0")
    return ("-" if value < 0 else "") + whole + ("." + decimals if decimals else "")


def average(values):
    quotient = sum(values) / len(values) * 10**6
    return canonical(Fraction(round(quotient), 10**6))  # round() of a Fraction is half-even


def iso(ms):
    moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=ms)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (ms % 1000)


# ---- windows ------------------------------------------------------------------------------------


def aggregate(kind, rows):
    """rows: (time, arrival, text), empty texts left out; count of rows aside, which has all."""
    if kind == "rows" or kind == "count":
        return str(len(rows))
    if not rows:
        return ""
    if kind == "distinct":
        return str(len({text for _, _, text in rows}))
    if kind == "first":
        return min(rows, key=lambda row: (row[0], row[1]))[2]
    if kind == "last":
        return max(rows, key=lambda row: (row[0], row[1]))[2]
    values = [number(text) for _, _, text in rows]
    if kind == "avg":
        return average(values)
    return canonical({"sum": sum, "min": min, "max": max}[kind](values))


def windows(case):
    """The rows of output, the late and the bad ones counted."""
    every, offset, late = case["every"], case["offset"], case["late"]
    open_windows, out, greatest = {}, [], None
    late_count = bad_count = 0

    def fire(watermark):
        for end in sorted(end for end in open_windows if watermark is None or end - 1 <= watermark):
            for key, rows in sorted(open_windows.pop(end).items()):
                values = []
                for kind, field in case["aggregates"]:
                    picked = [(t, n, row.get(field, "")) for t, n, row in rows]
                    if kind != "rows":
                        picked = [p for p in picked if p[2] != ""]
                    values.append(aggregate(kind, picked))
                out.append([iso(end - every), iso(end)] + [k.decode() for k in key] + values)

    for arrival, row in enumerate(case["rows"]):
        time = row_time(row["t"], case["unit"])
        if time is BAD or any(
            kind in NUMERIC and row.get(field, "") and number(row[field]) is BAD
            for kind, field in case["aggregates"]
        ):
            bad_count += 1
            continue
        end = (time - offset) // every * every + offset + every
        if greatest is not None and end - 1 <= greatest - late - 1:
            late_count += 1
            continue
        key = tuple(row.get(field, "").encode() for field in case["by"])
        open_windows.setdefault(end, {}).setdefault(key, []).append((time, arrival, row))
        greatest = time if greatest is None else max(greatest, time)
        fire(greatest - late - 1)
    fire(None)
    return out, late_count, bad_count


def row_time(text, unit):
    if unit == "iso":
        match = re.fullmatch(
            r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?", text
        )
        if match is None or match[6] == "60":
            return BAD
        try:
            moment = datetime.datetime(*(int(match[i]) for i in range(1, 7)))
        except ValueError:
            return BAD
        ms = (moment - datetime.datetime(1970, 1, 1)) // datetime.timedelta(milliseconds=1)
        zone = match[8] or "Z"
        if zone != "Z":
            minutes = int(zone[1:3]) * 60 + int(zone[4:6])
            ms -= (1 if zone[0] == "+" else -1) * minutes * 60000
        return ms + int(((match[7] or "") + "000")[:3])
    if NUMBER.fullmatch(text) is None or "e" in text.lower():
        return BAD
    return Fraction(text) * {"s": 1000, "ms": 1, "us": Fraction(1, 1000)}[unit] // 1


# ---- random cases -------------------------------------------------------------------------------

TEXTS = ["", "a", "b", "ab", "a b", "A", "0", "-", "é", "日本", "\U0001f600", "z" * 40, "a\\b"]
ODD_TEXTS = ['say "hi"', "x,y", "two\nlines", "tab\there", '"', ",", "cr\rlf"]
NUMBERS = ["", "0", "-0", "1", "-1", "2.50", "-2.500", "0.1", "1e3", "-1.5E-3", "+7", "3", "3",
           "100000000000000000", "0.000000000000000001", "-0.000001", "12345.678901", "007"]
BAD_NUMBERS = ["x", "1.2.3", "--1", "0x10", "1e-19", "nan", "1e40", "1 2"]


def random_time(r, unit, now):
    if r.random() < 0.02:
        return r.choice(["", "never", "-", "2015-02-30T00:00:00Z"])
    if unit == "iso":
        ms = 1442016000000 + now
        zone = r.choice([0, 0, 0, 60, -330])
        text = iso(ms + zone * 60000)[:-1]
        if ms % 1000 == 0 and r.random() < 0.5:
            text = text[:-4]
        if r.random() < 0.1:
            text += "0009"[: 4 if "." in text else 0]
        if zone:
            return text + ("+%02d:%02d" if zone > 0 else "-%02d:%02d") % divmod(abs(zone), 60)
        return text + r.choice(["Z", "", "+00:00"])
    if unit == "s":
        return r.choice([str(now // 1000), canonical(Fraction(now, 1000))])
    if unit == "us":
        return str(now * 1000 + r.choice([0, 0, 1, 999]))
    return r.choice([str(now), str(now), str(now) + ".5", str(now) + ".999"])


def random_case(r):
    unit = r.choice(["ms", "ms", "s", "us", "iso"])
    every = r.choice([1, 7, 1000, 1000, 60000, 3600000])
    by = r.choice([[], ["k"], ["k"], ["k", "m"], ["m", "k", "x"]])
    kinds = [("rows", "k"), ("count", "k"), ("count", "x"), ("sum", "x"), ("min", "x"),
             ("max", "x"), ("avg", "x"), ("first", "k"), ("last", "k"), ("distinct", "k"),
             ("distinct", "x"), ("last", "x"), ("sum", "y"), ("avg", "y"), ("first", "t")]
    texts = TEXTS + (ODD_TEXTS if r.random() < 0.4 else [])
    numbers = NUMBERS + (BAD_NUMBERS if r.random() < 0.3 else [])
    span = every * r.choice([1, 3, 10])
    now = r.choice([0, -span, -5 * span, 10**9])
    rows = []
    for _ in range(r.choice([0, 1, 2, 10, 40, 200])):
        now += r.choice([0, 0, 1, every // 3, every, -every // 2, span, -span])
        rows.append({"t": random_time(r, unit, now), "k": r.choice(texts), "m": r.choice(texts[:5]),
                     "x": r.choice(numbers), "y": str(r.randint(-10**30, 10**30))})
    return {
        "unit": unit, "every": every, "by": by, "rows": rows,
        "format": "auto" if unit in ("iso", "s") and r.random() < 0.5 else unit,
        "offset": r.choice([0, 0, 0, every // 3, -(every // 2)]),
        "late": r.choice([0, 0, 1, every, 3 * span]),
        "aggregates": r.sample(kinds, r.randint(1, 6)),
    }


# ---- files --------------------------------------------------------------------------------------

FIELDS = ["t", "unused", "k", "m", "x", "y"]
JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def cells(r, row):
    """A row's texts in the order of FIELDS; empty ones at its end may be missing."""
    texts = [row.get(field, "any, \"thing\"" if field == "unused" else "") for field in FIELDS]
    while texts[-1] == "" and r.random() < 0.7:
        texts.pop()
    return texts


def as_csv(r, case):
    out = io.StringIO()
    quoting = csv.QUOTE_ALL if has(case, "\r") or r.random() < 0.5 else csv.QUOTE_MINIMAL
    writer = csv.writer(out, lineterminator=r.choice(["\n", "\r\n"]), quoting=quoting)
    writer.writerow(FIELDS)
    for row in case["rows"]:
        writer.writerow(cells(r, row))
    return out.getvalue()


def as_tsv(r, case):
    lines = ["\t".join(FIELDS)] + ["\t".join(cells(r, row)) for row in case["rows"]]
    return "".join(line + "\n" for line in lines)


def as_ndjson(r, case):
    lines = []
    for row in case["rows"]:
        parts = []
        for field in r.sample(FIELDS, len(FIELDS)):
            text = row.get(field, "")
            if text == "" and r.random() < 0.5:
                if r.random() < 0.5:
                    parts.append('"%s":null' % field)
                continue
            if JSON_NUMBER.fullmatch(text) and r.random() < 0.7:
                parts.append('"%s":%s' % (field, text))
            else:
                parts.append('"%s":%s' % (field, json.dumps(text, ensure_ascii=r.random() < 0.5)))
        lines.append("{" + ",".join(parts) + "}\n")
    return "".join(lines)


def has(case, characters):
    return any(c in text for row in case["rows"] for text in row.values() for c in characters)


# ---- comparing ----------------------------------------------------------------------------------


def column_name(kind, field):
    return "count" if kind == "rows" else "%s(%s)" % (kind, field)


def command(tarn, case, path, output):
    names = ",".join(column_name(*aggregate) for aggregate in case["aggregates"])
    line = [tarn, "window", "-v", "--time", "t", "--time-format", case["format"],
            "--every", "%dms" % case["every"], "--offset=%dms" % case["offset"],
            "--late", "%dms" % case["late"], "--agg", names, "-o", output]
    if case["by"]:
        line += ["--by", ",".join(case["by"])]
    return line + [path]


def quoted(text):
    """RFC 4180; Python's csv module leaves a lone CR unquoted."""
    return '"' + text.replace('"', '""') + '"' if re.search('[,"\r\n]', text) else text


def wanted_csv(case, rows):
    names = [column_name(*aggregate) for aggregate in case["aggregates"]]
    header = ["window_start", "window_end"] + case["by"] + names
    return "".join(",".join(map(quoted, row)) + "\n" for row in [header] + rows)


def check(tarn, case, path, rows, late_count, bad_count):
    line = command(tarn, case, path, "csv")
    run = subprocess.run(line, capture_output=True, timeout=60)
    said = run.stderr.decode(errors="replace")
    counts = "late %d (dropped), bad %d (skipped)" % (late_count, bad_count)
    if run.returncode == 0 and run.stdout.decode() == wanted_csv(case, rows) and counts in said:
        return True
    print("# command: " + " ".join(line))
    print("# exit %d; wanted: %s; said:" % (run.returncode, counts))
    print("#   " + said.replace("\n", "\n#   "))
    seen, wanted = run.stdout.decode().split("\n"), wanted_csv(case, rows).split("\n")
    for line_number, pair in enumerate(itertools.zip_longest(seen, wanted), 1):
        if pair[0] != pair[1]:
            print("# line %d: seen %r, wanted %r" % (line_number, *pair))
            break
    return False


def main():
    tarn, work, seed, cases = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    compared = 0
    for index in range(cases):
        r = random.Random(seed * 1000003 + index)
        case = random_case(r)
        rows, late_count, bad_count = windows(case)
        formats = {"ndjson": as_ndjson(r, case), "csv": as_csv(r, case)}
        if not has(case, "\t\n\r"):
            formats["tsv"] = as_tsv(r, case)
        for name, text in formats.items():
            path = os.path.join(work, "case." + name)
            with open(path, "w", encoding="utf-8", newline="") as file:
                file.write(text)
            if not check(tarn, case, path, rows, late_count, bad_count):
                kept = os.path.join(work, "failed." + name)
                os.replace(path, kept)
                print("# case %d of seed %d, as %s" % (index, seed, name))
                return 1
            compared += 1
    print("# %d runs compared, seed %d" % (compared, seed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
