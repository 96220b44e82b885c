"""A reader of exports, written from docs/FORMAT.md alone; nothing of tarn's code is in it.

    export_reader.py FILE              list an export: a line for each table and each entry
    export_reader.py --example TEXT    the same of the example in docs/FORMAT.md

Whatever the text forbids ends it with a message and exit 1.
"""

import re
import struct
import sys

MASK = 2**64 - 1

# ---- XXH3-64 with a seed, from xxHash's specification -------------------------------------------

SECRET = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f"
    "cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c"
    "3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8a8"
    "fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364ea"
    "c5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e2b"
    "16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e")

P32_1, P32_2, P32_3 = 0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D
P64_1, P64_2, P64_3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
P64_4, P64_5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5
PMX1, PMX2 = 0x165667919E3779F9, 0x9FB21C651E98DF25


def u32(data, at):
    return int.from_bytes(data[at : at + 4], "little")


def u64(data, at):
    return int.from_bytes(data[at : at + 8], "little")


def swap32(x):
    return int.from_bytes(x.to_bytes(4, "little"), "big")


def swap64(x):
    return int.from_bytes(x.to_bytes(8, "little"), "big")


def rotate(x, bits):
    return (x << bits | x >> (64 - bits)) & MASK


def fold(a, b):
    product = a * b
    return (product & MASK) ^ (product >> 64)


def avalanche(x):
    x ^= x >> 37
    x = x * PMX1 & MASK
    return x ^ x >> 32


def avalanche64(x):
    x ^= x >> 33
    x = x * P64_2 & MASK
    x ^= x >> 29
    x = x * P64_3 & MASK
    return x ^ x >> 32


def mix16(data, at, secret, place, seed):
    return fold(
        u64(data, at) ^ (u64(secret, place) + seed & MASK),
        u64(data, at + 8) ^ (u64(secret, place + 8) - seed & MASK))


def xxh3_short(data, seed):
    n = len(data)
    if n > 8:
        flip1 = (u64(SECRET, 24) ^ u64(SECRET, 32)) + seed & MASK
        flip2 = (u64(SECRET, 40) ^ u64(SECRET, 48)) - seed & MASK
        low, high = u64(data, 0) ^ flip1, u64(data, n - 8) ^ flip2
        return avalanche(n + swap64(low) + high + fold(low, high) & MASK)
    if n >= 4:
        seed ^= swap32(seed & 0xFFFFFFFF) << 32
        flip = (u64(SECRET, 8) ^ u64(SECRET, 16)) - seed & MASK
        x = (u32(data, n - 4) + (u32(data, 0) << 32) & MASK) ^ flip
        x ^= rotate(x, 49) ^ rotate(x, 24)
        x = x * PMX2 & MASK
        x ^= (x >> 35) + n
        x = x * PMX2 & MASK
        return x ^ x >> 28
    if n > 0:
        x = data[0] << 16 | data[n >> 1] << 24 | data[n - 1] | n << 8
        return avalanche64(x ^ ((u32(SECRET, 0) ^ u32(SECRET, 4)) + seed & MASK))
    return avalanche64(seed ^ u64(SECRET, 56) ^ u64(SECRET, 64))


def xxh3_middle(data, seed):
    n = len(data)
    x = n * P64_1 & MASK
    if n <= 128:
        for i in reversed(range((n - 1) // 32 + 1)):
            x += mix16(data, 16 * i, SECRET, 32 * i, seed)
            x += mix16(data, n - 16 * (i + 1), SECRET, 32 * i + 16, seed)
        return avalanche(x & MASK)
    for i in range(8):
        x += mix16(data, 16 * i, SECRET, 16 * i, seed)
    x = avalanche(x & MASK)
    for i in range(8, n // 16):
        x += mix16(data, 16 * i, SECRET, 16 * (i - 8) + 3, seed)
    x += mix16(data, n - 16, SECRET, 136 - 17, seed)
    return avalanche(x & MASK)


def xxh3_long(data, seed):
    n = len(data)
    secret = b"".join(
        (u64(SECRET, i) + seed & MASK).to_bytes(8, "little")
        + (u64(SECRET, i + 8) - seed & MASK).to_bytes(8, "little") for i in range(0, 192, 16))
    keys = struct.unpack("<24Q", secret)
    acc = [P32_3, P64_1, P64_2, P64_3, P64_4, P32_2, P64_5, P32_1]

    def accumulate(at, lanes):
        for i, word in enumerate(struct.unpack_from("<8Q", data, at)):
            key = word ^ lanes[i]
            acc[i ^ 1] = acc[i ^ 1] + word & MASK
            acc[i] = acc[i] + (key & 0xFFFFFFFF) * (key >> 32) & MASK

    stripes = (n - 1) // 64
    for stripe in range(stripes):
        accumulate(64 * stripe, keys[stripe % 16 : stripe % 16 + 8])
        if stripe % 16 == 15:
            for i in range(8):
                acc[i] = (acc[i] ^ acc[i] >> 47 ^ keys[16 + i]) * P32_1 & MASK
    accumulate(n - 64, struct.unpack_from("<8Q", secret, 192 - 64 - 7))
    x = n * P64_1 & MASK
    for i in range(4):
        x += fold(acc[2 * i] ^ u64(secret, 11 + 16 * i), acc[2 * i + 1] ^ u64(secret, 19 + 16 * i))
    return avalanche(x & MASK)


def xxh3(data, seed):
    if len(data) <= 16:
        return xxh3_short(data, seed)
    if len(data) <= 240:
        return xxh3_middle(data, seed)
    return xxh3_long(data, seed)


# ---- the format ---------------------------------------------------------------------------------


class Damaged(Exception):
    pass


def expect(condition, offset, what):
    if not condition:
        raise Damaged(f"byte {offset}: {what}")


def payload_of(data):
    """The payloads of all blocks, one behind the other."""
    expect(len(data) >= 24, 0, "no head")
    expect(data[:8] == b"\x89tarnx\r\n", 0, "no export")
    checksum = xxh3(data[:16], 0)
    expect(u64(data, 16) == checksum, 0, "the head is damaged")
    expect(u32(data, 8) == 1, 8, "another version")
    expect(u32(data, 12) == 0, 12, "not 0")
    payload, at, last = b"", 24, 0
    while not last:
        expect(len(data) >= at + 16, len(data), "cut short")
        count, last = u32(data, at + 8), u32(data, at + 12)
        expect(last <= 1 and count <= 65536 and (last or count), at, "no block")
        expect(len(data) >= at + 16 + count, len(data), "cut short")
        checksum = xxh3(data[at + 8 : at + 16 + count], checksum)
        expect(u64(data, at) == checksum, at, "the block is damaged")
        payload += data[at + 16 : at + 16 + count]
        at += 16 + count
    expect(at == len(data), at, "there is more")
    return payload


class Payload:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        expect(self.at + count <= len(self.data), self.at, "of the payload: it ends here")
        self.at += count
        return self.data[self.at - count : self.at]


def tables_of(payload):
    p = Payload(payload)
    while p.at < len(payload):
        head = struct.unpack("<4BIIIQQ", p.take(32))
        kind, kind_of_value, role, order, value_bytes, name_bytes, zero, count, size = head
        expect(kind <= 1 and kind_of_value <= 7 and role <= 2 and zero == 0, p.at, "no table")
        expect(order in ((1, 2) if kind_of_value == 7 else (0,)), p.at, "no byte order")
        expect(1 <= name_bytes <= 255, p.at, "no name")
        name, entries = p.take(name_bytes), []
        for _ in range(count):
            key_bytes, bytes_of_value = struct.unpack("<HI", p.take(6))
            expect(value_bytes in (0, bytes_of_value), p.at, "another size than the type's")
            key = p.take(key_bytes)
            entries.append((key, p.take(bytes_of_value)))
        keys = [key for key, _ in entries]
        expect(len(set(keys)) == count, p.at, "a key twice")
        expect(kind == 1 or keys == sorted(keys), p.at, "not in order")
        expect(size == sum(len(k) + len(v) for k, v in entries), p.at, "other entries")
        yield name, (kind, kind_of_value, role, order, value_bytes, count, size), entries


def show(data):
    return data.hex() or "-"


def example_of(path):
    data = b""
    with open(path, encoding="utf-8") as text:
        for line in text:
            match = re.match(r"([0-9a-f]{4})  ((?:[0-9a-f]{2} )*[0-9a-f]{2})(?:  |$)", line)
            if match:
                expect(int(match[1], 16) == len(data), len(data), "the text's offset is wrong")
                data += bytes.fromhex(match[2])
    return data


def main(arguments):
    if arguments[0] == "--example":
        data = example_of(arguments[1])
    else:
        with open(arguments[0], "rb") as file:
            data = file.read()
    last = b""
    for name, shape, entries in tables_of(payload_of(data)):
        expect(name > last, 0, "tables are not in order")
        last = name
        print("table %s kind=%d type=%d role=%d order=%d value_bytes=%d entries=%d bytes=%d"
              % ((show(name),) + shape))
        for key, value in entries:
            print("entry", show(name), show(key), show(value))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Damaged as damage:
        sys.exit(str(damage))
