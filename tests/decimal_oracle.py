"""Differential test of src/stream/decimal.c against Python's decimal.

    decimal_oracle.py DRIVER [COUNT [SEED]]

asks `DRIVER --driver` COUNT random questions of each kind and compares the answers with its own,
which follow the rules of decimal.h by another road: unlimited integers and fractions. Prints what
differs, then the seed; exits with 1 when anything differs.
"""

import random
import re
import subprocess
import sys
from decimal import Decimal, localcontext
from fractions import Fraction

NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)
LOW, HIGH = -(2**127), 2**127 - 1


def representable(value):
    """Is this fraction an integer of 128 bits over 10^scale, scale 0 to 18?"""
    for scale in range(19):
        unscaled = value * 10**scale
        if unscaled.denominator == 1:
            return LOW <= unscaled.numerator <= HIGH
    return False


def canonical(value):
    """An exact text of a fraction with a finite decimal expansion."""
    with localcontext() as context:
        context.prec = 400
        text = format(Decimal(value.numerator) / Decimal(value.denominator), "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def read(text):
    """The value as a fraction, or 'syntax', or 'range'."""
    if not NUMBER.fullmatch(text):
        return "syntax"
    mantissa, _, exponent = text.lower().partition("e")
    if abs(int(exponent or "0")) > 5000:
        return Fraction(0) if Fraction(mantissa) == 0 else "range"
    value = Fraction(Decimal(text))
    return value if representable(value) else "range"


def expected(verb, x, y):
    a = read(x)
    if isinstance(a, str):
        return a
    if verb == "parse":
        return canonical(a)
    if verb == "average":
        return canonical(Fraction(round(a * 10**6 / int(y)), 10**6))  # round() is half-even
    b = read(y)
    if isinstance(b, str):
        return b
    if verb == "compare":
        return str((a > b) - (a < b))
    return canonical(a + b) if representable(a + b) else "range"


def random_digits(rng, most):
    digits = "".join(rng.choice("0123456789") for _ in range(rng.randint(1, most)))
    if rng.random() < 0.2:
        digits += "0" * rng.randint(1, 30)
    if rng.random() < 0.1:
        digits = "0" * rng.randint(1, 30) + digits
    return digits


def random_plain(rng):
    """Short numbers, as most are."""
    text = rng.choice(["", "", "-", "+"]) + random_digits(rng, 9)
    return text + "." + random_digits(rng, 4) if rng.random() < 0.5 else text


def random_any(rng):
    text = rng.choice(["", "-", "+"]) + random_digits(rng, rng.choice([3, 8, 17, 20, 39, 41]))
    if rng.random() < 0.6:
        text += "." + random_digits(rng, rng.choice([2, 8, 18, 20]))
    if rng.random() < 0.3:
        text += rng.choice("eE") + rng.choice(["", "-", "+"]) + random_digits(rng, 2)
    return text


def random_edge(rng):
    """Near the ends of 64 and 128 bits, the point anywhere."""
    near = rng.choice([2**63, 2**64, 2**127, 2**127, 10**38, 10**18, 2**126])
    digits = str(near + rng.randint(-3, 3))
    scale = rng.randint(0, 19)
    if scale:
        digits = digits.rjust(scale + 1, "0")
        digits = digits[:-scale] + "." + digits[-scale:]
    return rng.choice(["", "-"]) + digits


def random_broken(rng):
    text = list(random_plain(rng))
    text.insert(rng.randint(0, len(text)), rng.choice(list("+-.eE /:a_xn,") + ["", "\u0663"]))
    if rng.random() < 0.5:
        text.pop(rng.randrange(len(text)))
    return "".join(text)


def random_text(rng):
    makers = [random_plain, random_any, random_edge, random_broken]
    return rng.choices(makers, weights=[4, 3, 3, 1])[0](rng)


def random_near(rng, text):
    """A number to go with another: often equal to it, its opposite, or one digit away."""
    kind = rng.random()
    if kind < 0.15:
        return text
    if kind < 0.3:
        return text[1:] if text.startswith("-") else "-" + text.removeprefix("+")
    if kind < 0.4 and "e" not in text.lower():
        return text + ("1" if "." in text else ".1")
    return random_text(rng)


def questions(rng, count):
    for _ in range(count):
        yield "parse", random_text(rng), ""
        x = random_text(rng)
        yield "add", x, random_near(rng, x)
        x = random_text(rng)
        yield "compare", x, random_near(rng, x)
        divisor = rng.choice([1, 2, 3, 7, 64, 10**6, 2**63, 2**64 - 1, rng.randint(1, 10**4)])
        yield "average", random_text(rng), str(divisor)


def main():
    driver = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 10000
    seed = int(sys.argv[3], 0) if len(sys.argv) > 3 else random.randrange(2**32)
    asked = list(questions(random.Random(seed), count))
    lines = "".join("\t".join(question) + "\n" for question in asked)
    run = subprocess.run(
        [driver, "--driver"], input=lines.encode(), stdout=subprocess.PIPE, check=True
    )
    answers = run.stdout.decode().splitlines()
    failed = len(asked) != len(answers)
    kinds = {}
    for question, answer in zip(asked, answers):
        wanted = expected(*question)
        refused = wanted in ("syntax", "range")
        kinds[wanted if refused else "value"] = kinds.get(wanted if refused else "value", 0) + 1
        if answer != wanted:
            failed = True
            print(*question, "is", answer, "not", wanted)
    print(f"{len(answers)} questions, seed {seed}: {kinds}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
