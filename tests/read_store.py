"""A reader of store files, written from docs/FORMAT.md alone; nothing of tarn's code is in it.

    read_store.py DIR              the newest commit, its note, and a line for each entry
    read_store.py --example TEXT   the same of the example in docs/FORMAT.md

Whatever the text calls damaged ends it with a message and exit 1.
"""

import os
import re
import struct
import sys

from export_reader import xxh3  # the checksum, from xxHash's specification

HEADER, FOOTER, MARK, BLOCK, STEP = 4096, 256, 64, 16384, 64
NUMBER_MAX = 2**62 - 1


class Damaged(Exception):
    pass


def up(value, to):
    return (value + to - 1) // to * to


# ---- structures ---------------------------------------------------------------------------------


def seed(store_id, incarnation, number, index):
    return xxh3(store_id + struct.pack("<3Q", incarnation, number, index), 0)


def header_of(data):
    """(store id, incarnation, file, secret), or None."""
    if len(data) < HEADER or data[:8] != b"tarn hdr":
        return None
    (checksum,) = struct.unpack_from("<Q", data, 8)
    if xxh3(data[16:HEADER], int.from_bytes(b"tarn hdr", "little")) != checksum:
        return None
    (version,) = struct.unpack_from("<I", data, 16)
    if version != 1:
        raise Damaged(f"version {version}")
    if any(data[20:24]) or any(data[104:HEADER]):
        return None
    return data[24:40], *struct.unpack_from("<2Q", data, 40), data[56:104]


class Section:
    def __init__(self, file, data, end):
        at = end - FOOTER
        self.file, self.data, self.footer_at = file, data, at
        (self.identity, self.incarnation, self.number, self.bytes, *parts) = struct.unpack_from(
            "<10Q", data, at + 8)
        self.parts = list(zip(parts[::2], parts[1::2]))
        self.note_bytes, self.hash_version = struct.unpack_from("<2I", data, at + 88)
        (self.table_checksum, self.previous, self.first_needed,
         self.synced) = struct.unpack_from("<4Q", data, at + 96)
        self.before = struct.unpack_from("<3Q", data, at + 128)
        self.after = struct.unpack_from("<3Q", data, at + 152)
        self.next_table, self.tick, self.clock = struct.unpack_from("<3Q", data, at + 176)
        self.data_bytes = up(sum(b for b, _ in self.parts) + self.note_bytes, 8)
        self.blocks = (self.data_bytes + BLOCK - 1) // BLOCK
        self.start = end - self.bytes

    def holds(self):
        return (1 <= self.number <= NUMBER_MAX and self.note_bytes <= 2**20
                and all(b % 8 == 0 and n <= b // 16 for b, n in self.parts)
                and self.bytes == up(self.data_bytes + 8 * self.blocks, STEP) + FOOTER
                and 1 <= self.first_needed <= self.number and self.synced < self.number
                and self.before <= self.after and self.after[0] <= NUMBER_MAX
                and self.next_table <= NUMBER_MAX and self.tick <= NUMBER_MAX
                and not any(self.data[self.footer_at + 200 : self.footer_at + FOOTER])
                and self.start >= HEADER)

    def matches(self, store_id):
        table_at = self.start + self.data_bytes
        table = self.data[table_at : self.footer_at]
        if xxh3(table, seed(store_id, self.incarnation, self.number, 2**64 - 1)) != self.table_checksum:
            return False
        for i in range(self.blocks):
            block = self.data[self.start + i * BLOCK : min(self.start + (i + 1) * BLOCK, table_at)]
            (checksum,) = struct.unpack_from("<Q", table, 8 * i)
            if xxh3(block, seed(store_id, self.incarnation, self.number, i)) != checksum:
                return False
        return True

    def entries(self, part):
        at = self.start + sum(b for b, _ in self.parts[:part])
        end = at + self.parts[part][0]
        catalog_over = False
        for _ in range(self.parts[part][1]):
            if end - at < 16:
                raise Damaged("an entry does not fit")
            value_bytes, key_bytes, kind, flags, table = struct.unpack_from("<IHBBQ", self.data, at)
            if kind != (2 if part == 1 else 1) or flags != 0 or (kind == 2 and value_bytes != 0):
                raise Damaged("an entry of an unknown kind")
            if table == 0 and catalog_over:
                raise Damaged("an entry of the catalog behind others")
            catalog_over = table != 0
            key_at = at + 16
            value_at = key_at + up(key_bytes, 8)
            at = value_at + up(value_bytes, 8)
            if at > end:
                raise Damaged("an entry does not fit")
            yield table, self.data[key_at : key_at + key_bytes], self.data[value_at : value_at + value_bytes]
        if at != end:
            raise Damaged("bytes are left behind the entries")

    def note(self):
        at = self.start + sum(b for b, _ in self.parts)
        return self.data[at : at + self.note_bytes]


def footer_at(file, data, end, store_id):
    if end - FOOTER < HEADER or data[end - FOOTER : end - FOOTER + 8] != b"tarn sec":
        return None
    section = Section(file, data, end)
    own_seed = seed(store_id, section.incarnation, section.number, 2**64 - 2)
    if xxh3(data[end - FOOTER + 16 : end], own_seed) != section.identity or not section.holds():
        return None
    return section


def mark_at(data, at, store_id):
    """(number, identity), or None."""
    if at % 4096 != 0 or data[at : at + 8] != b"tarn end" or any(data[at + 40 : at + MARK]):
        return None
    checksum, incarnation, number, identity = struct.unpack_from("<4Q", data, at + 8)
    if xxh3(data[at + 16 : at + MARK], seed(store_id, incarnation, number, 2**64 - 3)) != checksum:
        return None
    return (number, identity) if 1 <= number <= NUMBER_MAX else None


# ---- finding the newest commit ------------------------------------------------------------------


def scan(files, headers, store_id):
    sections, marks, floor = {}, [], 0
    for file in sorted(files, reverse=True):
        data = files[file]
        end = len(data) // STEP * STEP
        while end > HEADER:
            section = footer_at(file, data, end, store_id)
            if section is not None:
                floor = max(floor, section.synced)
                if headers[file] is not None:
                    sections.setdefault((section.number, section.identity), []).append(section)
                end = section.start
                continue
            mark = mark_at(data, end - MARK, store_id)
            if mark is not None:
                marks.append(mark)
                floor = max(floor, mark[0])
            end -= STEP
    return sections, marks, floor


def chain(sections, key, store_id):
    """From the first needed to this one, or None."""
    chosen = []
    first_needed = None
    while True:
        copy = next((c for c in sections.get(key, []) if c.matches(store_id)), None)
        if copy is None:
            return None
        chosen.append(copy)
        first_needed = copy.first_needed if first_needed is None else first_needed
        if copy.number == first_needed:
            return chosen[::-1]
        key = (copy.number - 1, copy.previous)


def newest(files):
    headers = {file: header_of(data) for file, data in files.items()}
    whole = [(file, header) for file, header in headers.items() if header is not None]
    if not whole:
        if all(len(data) <= HEADER for data in files.values()):
            raise Damaged("there is no store")
        raise Damaged("no header holds")
    store_id, secret = whole[0][1][0], whole[0][1][3]
    for file, header in whole:
        if header[0] != store_id or header[3] != secret or header[2] != file:
            raise Damaged(f"file {file:016x} does not belong here")
    sections, marks, floor = scan(files, headers, store_id)
    accepted = []
    for key in sorted(sections, reverse=True):
        accepted = chain(sections, key, store_id)
        if accepted:
            break
    number = accepted[-1].number if accepted else 0
    if number < floor:
        raise Damaged(f"commit {floor} was synced, the newest that is whole is {number}")
    if accepted and any(n == number and i != accepted[-1].identity for n, i in marks):
        raise Damaged("the mark is of another section")
    return accepted or []


def listing(files):
    accepted = newest(files)
    entries = {}
    for section in accepted:
        for part in (2, 1, 0):
            for table, key, value in section.entries(part):
                if part == 1:
                    entries.pop((table, key), None)
                else:
                    entries[table, key] = value
    last = accepted[-1] if accepted else None
    yield f"commit {last.number if last else 0} {last.note().hex() if last else ''}"
    for (table, key), value in sorted(entries.items()):
        yield f"entry {table} {key.hex()} {value.hex()}"


# ---- where files come from ----------------------------------------------------------------------


def files_of(directory):
    files = {}
    for name in os.listdir(directory):
        if re.fullmatch(r"[0-9a-f]{16}\.tarn", name) and 1 <= int(name[:16], 16) <= NUMBER_MAX:
            with open(os.path.join(directory, name), "rb") as file:
                files[int(name[:16], 16)] = file.read()
    return files


def example_of(text):
    data = bytearray()
    for line in open(text, encoding="utf-8"):
        found = re.match(r"([0-9a-f]{5})  ((?:[0-9a-f]{2} ?)+)(?: |$)", line)
        if found:
            at, some = int(found[1], 16), bytes.fromhex(found[2])
            data.extend(bytes(max(0, at - len(data))))
            data[at : at + len(some)] = some
    return {1: bytes(data)}


def main(arguments):
    if len(arguments) == 2 and arguments[0] == "--example":
        files = example_of(arguments[1])
    elif len(arguments) == 1:
        files = files_of(arguments[0])
    else:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    try:
        for line in listing(files):
            print(line)
    except Damaged as damage:
        print(f"read_store.py: {damage}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
