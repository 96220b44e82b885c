"""What times mean, by Python's datetime and exact fractions: the other half of test_timestamp.sh.

    timestamp_oracle.py texts SEED    lines 'FORMAT<tab>TEXT', right and wrong ones
    timestamp_oracle.py read          such lines -> milliseconds or 'bad'
    timestamp_oracle.py numbers SEED  lines of milliseconds
    timestamp_oracle.py print         such lines -> ISO 8601
"""
import random
import re
import sys
from datetime import datetime, timedelta, timezone
from fractions import Fraction
from math import floor

EPOCH = datetime(1970, 1, 1)
ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?:([Zz])|([+-])(\d\d)(?::?(\d\d))?)?)?",
    re.ASCII,
)
NUMBER = re.compile(r"([+-]?)(\d+)(?:\.(\d+))?", re.ASCII)
UNIT = {"s": 1000, "ms": 1, "us": Fraction(1, 1000), "ns": Fraction(1, 1000000)}
PATTERNS = ["%d/%b/%Y:%H:%M:%S %z", "%Y-%m-%d %H:%M:%S.%f", "%m/%d/%y %I:%M %p", "%Y %j", "%d%m%Y%H%M%S"]


def in_range(ms):
    return str(ms) if -(2**63) < ms < 2**63 else "bad"


def milliseconds(delta):
    return delta // timedelta(milliseconds=1)


def read_iso(text):
    found = ISO.fullmatch(text)
    if not found:
        return "bad"
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    try:
        local = datetime(year, month, day, hour, minute, second)
    except ValueError:
        return "bad"
    zone = int(found[10] or 0) * 60 + int(found[11] or 0)
    if int(found[10] or 0) > 23 or int(found[11] or 0) > 59:
        return "bad"
    fraction = floor(Fraction(int(found[7] or 0) * 1000, 10 ** len(found[7] or "")))
    return str(milliseconds(local - EPOCH) + fraction - (-zone if found[9] == "-" else zone) * 60000)


def read_number(text, unit):
    found = NUMBER.fullmatch(text)
    if not found:
        return "bad"
    digits = found[3] or ""
    value = int(found[2]) + Fraction(int(digits or 0), 10 ** len(digits))
    return in_range(floor((-value if found[1] == "-" else value) * UNIT[unit]))


def read(format, text):
    if format == "auto":
        found = NUMBER.fullmatch(text)
        if not found:
            return read_iso(text)
        count = len(found[2])
        format = "s" if count <= 11 else "ms" if count <= 14 else "us" if count <= 17 else "ns"
    if format == "iso":
        return read_iso(text)
    if format in UNIT:
        return read_number(text, format)
    try:
        moment = datetime.strptime(text, format)
    except ValueError:
        return "bad"
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return str(milliseconds(moment - EPOCH.replace(tzinfo=timezone.utc)))


def spoil(dice, text):
    """One or two bytes wrong, missing, or too many; sometimes nothing."""
    for _ in range(dice.choice([0, 0, 1, 1, 2])):
        at = dice.randrange(len(text) + 1)
        text = text[:at] + dice.choice(["", *"0123456789:-+. TZz,"]) + text[at + dice.randrange(2) :]
    return text


def iso_text(dice):
    day = dice.choice([dice.randint(0, 31), dice.randint(1, 28)])
    text = f"{dice.choice([dice.randint(0, 9999), 1969, 1970, 2000, 1900, 2024]):04}-{dice.randint(0, 13):02}-{day:02}"
    if dice.random() < 0.9:
        hour, minute = dice.randint(0, 24), dice.choice([dice.randint(0, 60), dice.randint(0, 59)])
        text += f"{dice.choice('TTT t')}{hour:02}:{minute:02}"
        if dice.random() < 0.9:
            text += f":{dice.choice([dice.randint(0, 60), dice.randint(0, 59)]):02}"
            if dice.random() < 0.7:
                text += dice.choice("...,") + "".join(dice.choices("0123456789", k=dice.choice([1, 2, 3, 3, 3, 6, 9, 30])))
        zone = f"{dice.choice('+-')}{dice.randint(0, 24):02}"
        text += dice.choice(["", "Z", "Z", "z", zone, f"{zone}{dice.randint(0, 60):02}", f"{zone}:{dice.randint(0, 60):02}"])
    return text


def number_text(dice):
    digits = "".join(dice.choices("0123456789", k=dice.randint(1, 30)))
    digits = dice.choice([digits, digits, "9223372036854775807", "9223372036854775808", "92233720368547758"])
    fraction = "." + "".join(dice.choices("009", k=dice.randint(1, 12))) if dice.random() < 0.4 else ""
    return dice.choice(["", "", "-", "-", "+"]) + digits + fraction


def pattern_text(dice, pattern):
    # Python reads %f only up to 6 digits and wants a zone with minutes; years of %y as POSIX does
    moment = EPOCH + timedelta(seconds=dice.randint(-3 * 10**9, 4 * 10**9), microseconds=dice.randrange(10**6))
    return moment.replace(tzinfo=timezone(timedelta(minutes=dice.randint(-1439, 1439)))).strftime(pattern)


def texts(seed):
    dice = random.Random(seed)
    for _ in range(20000):
        yield dice.choice(["iso", "iso", "auto"]), spoil(dice, iso_text(dice))
        yield dice.choice(["auto", *UNIT]), spoil(dice, number_text(dice))
    for _ in range(5000):
        pattern = dice.choice(PATTERNS)
        yield pattern, pattern_text(dice, pattern)


def numbers(seed):
    dice = random.Random(seed)
    first, last = -62135596800000, 253402300799999
    for _ in range(20000):
        yield dice.choice([dice.randint(first, last), dice.randint(-(10**9), 10**9), first, last])


def printed(ms):
    moment = EPOCH + timedelta(milliseconds=ms)
    return f"{moment.year:04}-{moment:%m-%dT%H:%M:%S}.{ms % 1000:03}Z"


def main(verb, seed="1"):
    if verb == "texts":
        lines = (f"{format}\t{text}" for format, text in texts(seed))
    elif verb == "numbers":
        lines = (str(ms) for ms in numbers(seed))
    elif verb == "read":
        lines = (read(*line.rstrip("\n").split("\t", 1)) for line in sys.stdin)
    else:
        lines = (printed(int(line)) for line in sys.stdin)
    sys.stdout.writelines(line + "\n" for line in lines)


main(*sys.argv[1:])
