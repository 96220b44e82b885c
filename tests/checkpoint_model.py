"""A model of what a store writes and how it comes back: commit, sweep, trim, recovery, in the bytes of docs/FORMAT.md.

    checkpoint_model.py                 some seeds, then steady churn: a few seconds
    checkpoint_model.py --seeds N       more of them
    checkpoint_model.py --seed N        that one
    checkpoint_model.py --mutants [N]   each rule turned off: the model must notice, within N seeds
    checkpoint_model.py --steady        a table: disk per live byte, written per changed
    checkpoint_model.py --bench         the churn of 'tarn bench durable' (half a minute)
    checkpoint_model.py --churn         the one run that tests/test_durable.c does, too

It is src/log and src/store without C: as short as it can be said, and slow. Where the two disagree, one is wrong.

The algorithm
-------------
Change    A record is marked from its first change until the next commit. Born since the last commit and
          deleted again, it leaves nothing; any other deleted record is buried: the next commit writes its key
          as a tombstone.
Tables    Table 0 is the catalog: name -> number. Clear gives another number, drop removes the name, and a
          restore that brings back what a table held gives another number and marks all of it. Numbers are
          never given twice: the next one is in the footer.
Commit    At once, while nothing can change: one section of delta (marked records), tombstones, a slice of the
          sweep, note, checksums, footer. Nothing of it counts before the footer is whole.
Sweep     In the order (table number, hash), from the cursor on, records that are not marked: 1.5 times the
          section so far, or to the end of the revolution; less what the slices before had beyond theirs, since
          a record is swept whole. The position is a hash: buckets may split and merge meanwhile.
Trim      First needed: the newest section that began with its cursor at or before the same place one
          revolution ago. A file of which all sections are older goes, once everything is synced.
Files     {header with incarnation, sections}. An opening writes to files of its own only, the first of which
          is synced, name and header, before anything is written under it. After a sync the next section
          begins in another block.
Recovery  The newest section from which the chain of previous footers is whole down to its first needed. Not
          older than what any footer or mark says was synced: that would be corruption. Of two copies the
          youngest file's counts. What was not known to be synced is copied to a new file and synced before
          the opening answers.
Refusal   A write for which there is no room leaves all as it was, cursor and marks included.

Invariants
----------
I1  After a crash at any call, recovery included, the store is commit n, whole: last synced, or answered by an opening,
    <= n <= last begun; after kill -9 it is not before the last that returned.
I2  A section holds no key twice in its delta, and none in delta and tombstones unless it was deleted and put again.
I3  The store reads as the reference at every commit.
I4  No two chains end in one number.
I5  One damaged piece of a store closed in order is found, or the store is its last commit; of one that was killed it is
    found, or the store is a commit not older than what its last footer says was synced.
I6  Of the tables that are there each has a name, whatever was dropped or cleared before.
I7  What is swept is never more than what commits owed since any one of them, and one batch.
I8  In steady churn the disk holds at most DISK_RATIO_ALLOWED bytes for a live one.
"""
import random
import sys
import zlib
from collections import namedtuple

SEEDS = 60
STEPS = 700
MUTANT_SEEDS = 600
SWEEP_RATIO = 1.5
DISK_RATIO_ALLOWED = 2.3
HASH_END = 1 << 31
NAMES = ("a", "b", "c")
GATHERED = 64  # entries that the sweep takes in one go, at most (SWEEP_ENTRIES_MAX)
HOME_ENTRIES = 5  # of a bucket of the hash index, about
PIECE_BYTES = 400  # about: what is written, and lost, as one

# rule -> what its absence means
RULES = {
    "mark": "a change of a record from before is not in the delta",
    "bury": "a deleted record from before leaves no tombstone",
    "born ends with the commit": "a record counts as born in later intervals too",
    "tombstones before delta": "replay: sweep, delta, tombstones",
    "another number when cleared": "clear keeps the number",
    "numbers never again": "the next number is the lowest free one",
    "next number in the footer": "it is found again from the catalog",
    "numbers gone are dropped": "replay keeps entries of numbers that the catalog does not have",
    "restore marks all": "a table brought back by a restore is not written again",
    "position is a hash": "it is the number of a bucket, of however many there are",
    "sweep everything": "the sweep passes over every fifth batch",
    "trim exact": "first needed is one too high",
    "sync before unlink": "files go before what replaces them is synced",
    "chain without gaps": "the newest section counts, whatever it stands on",
    "incarnation": "all are alike",
    "tail copied": "the accepted tail stays as it was",
    "youngest copy counts": "the oldest does",
    "first file synced": "it is written under before it is there for certain",
    "what is swept ahead is owed no more": "each commit sweeps in full, however large what the last one swept",
    "refusal keeps the cursor": "a refused commit has moved it on",
    "floor": "what was synced is fallen back from",
    "mark of a clean close": "there is none, so that a lost tail is not noticed",
    "sync before the mark": "the mark is synced with what it proves",
    "block after a sync": "what follows a sync goes into the same block, and may take it along",
}


class Violation(Exception):
    """An invariant does not hold."""


class Crash(Exception):
    """The process ends here."""


class Full(Exception):
    """There is no room."""


class Corrupt(Exception):
    """What opening answers when it finds damage."""


def checksum(value):
    return zlib.crc32(repr(value).encode())


def up(value, to):
    return -(-value // to) * to


def entry_bytes(key_bytes, value_bytes):
    return 16 + up(key_bytes, 8) + up(value_bytes, 8)


# ---- a disk that loses what was not synced ----------------------------------------------------------


class File:
    def __init__(self):
        self.pieces = []  # None: torn
        self.synced = 0  # so many of them
        self.name_synced = False
        self.unlinked = False
        self.bytes = 0


class Disk:
    def __init__(self, rng, crashes=True):
        self.rng = rng
        self.files = {}
        self.calls_left = None  # until the crash
        self.refusing = False
        self.crashes = crashes

    def call(self):
        if self.calls_left is not None:
            self.calls_left -= 1
            if self.calls_left < 0:
                raise Crash

    def visible(self):
        return [n for n in sorted(self.files) if not self.files[n].unlinked]

    def create(self, number):
        if number in self.files:
            raise Violation(f"file {number} is made twice")
        self.call()
        if self.refusing:
            raise Full
        self.files[number] = File()

    def append(self, number, piece, size):
        file = self.files[number]
        if self.refusing:
            raise Full
        try:
            self.call()
        except Crash:
            if self.rng.random() < 0.5:
                file.pieces.append(piece if self.rng.random() < 0.5 else None)
            raise
        file.pieces.append(piece)
        file.bytes += size

    def cut(self, number, pieces, size):
        """What an abandoned section left is written over."""
        del self.files[number].pieces[pieces:]
        self.files[number].bytes = size

    def sync_file(self, number):
        self.call()
        self.files[number].synced = len(self.files[number].pieces)

    def sync_names(self):
        self.call()
        for number, file in list(self.files.items()):
            file.name_synced = True
            if file.unlinked:
                del self.files[number]

    def unlink(self, number):
        self.call()
        self.files[number].unlinked = True

    def lose_power(self):
        """The fate of all that is not synced: nothing, all, a part, of each file its own."""
        mode = self.rng.choice(("all", "none", "holes", "holes"))
        for number, file in list(self.files.items()):
            if (not file.name_synced or file.unlinked) and self.rng.random() < 0.4:
                del self.files[number]
                continue
            file.unlinked, file.name_synced = False, True
            for index in range(file.synced, len(file.pieces)):
                if mode == "all" or (mode == "holes" and self.rng.random() < 0.3):
                    self.lose(file, index)
            file.synced = len(file.pieces)

    @staticmethod
    def lose(file, index):
        """One piece; and the one before it, when both share a block (only without a rule)."""
        file.pieces[index] = None
        if index > 1 and file.pieces[index - 1] == ("shares", None):
            file.pieces[index - 2] = None


Footer = namedtuple("Footer", "number incarnation previous pieces content note first_needed synced_through "
                              "before after next_number")


# ---- the store -----------------------------------------------------------------------------------------


class Table:
    def __init__(self, number):
        self.number = number
        self.values = {}
        self.changed = {}  # key -> born since the last commit?
        self.dead = {}


class Store:
    """Opened from what the disk holds."""

    def __init__(self, disk, off=(), file_bytes_min=2000, key_bytes=8, value_bytes=lambda key: 24, batch=4):
        self.disk, self.off, self.batch = disk, off, batch
        self.file_bytes_min, self.key_bytes, self.value_bytes = file_bytes_min, key_bytes, value_bytes
        self.tables = {0: Table(0)}
        self.written = self.changed_bytes = 0
        self.ahead = 0  # bytes swept beyond what was owed
        self.swept_beyond = self.largest_batch = 0
        self.names_new = False
        self.current = None  # file
        self.hashes = {}
        self.recover()

    def on(self, rule):
        return rule not in self.off

    # -- tables and changes

    def number_of(self, name):
        return self.tables[0].values.get(name)

    def give_number(self):
        if not self.on("numbers never again"):
            return next(n for n in range(1, 1000) if n not in self.tables)
        self.next_number += 1
        return self.next_number - 1

    def open_table(self, name):
        if self.number_of(name) is None:
            number = self.give_number()
            self.tables[number] = Table(number)
            self.put_into(self.tables[0], name, number)
        return self.tables[self.number_of(name)]

    def put_into(self, table, key, value):
        if key not in table.values:
            table.changed[key] = True
        elif key not in table.changed and self.on("mark"):
            table.changed[key] = False
        table.values[key] = value

    def delete_from(self, table, key):
        if key not in table.values:
            return
        del table.values[key]
        born = table.changed.pop(key, False)
        if not born and self.on("bury"):
            table.dead[key] = True

    def put(self, name, key, value):
        self.put_into(self.open_table(name), key, value)

    def delete(self, name, key):
        self.delete_from(self.open_table(name), key)

    def renew(self, name, values):
        """The table gets another number, and these values, all of them new."""
        number = self.number_of(name)
        if number is not None and self.on("another number when cleared"):
            del self.tables[number]
        if number is None or self.on("another number when cleared"):
            number = self.give_number()
        table = self.tables[number] = Table(number)
        self.put_into(self.tables[0], name, number)
        for key, value in values.items():
            table.values[key] = value
            if self.on("restore marks all"):
                table.changed[key] = True

    def clear(self, name):
        self.renew(name, {})

    def drop(self, name):
        if self.number_of(name) is not None:
            del self.tables[self.number_of(name)]
            self.delete_from(self.tables[0], name)

    def restore(self, state):
        for name in NAMES:
            if name not in state:
                self.drop(name)
            elif self.number_of(name) is None or self.tables[self.number_of(name)].values != state[name]:
                self.renew(name, state[name])

    def view(self):
        return {name: dict(self.tables[number].values) for name, number in self.tables[0].values.items()}

    # -- sizes

    def value_bytes_of(self, table, key):
        return 32 if table.number == 0 else self.value_bytes(key)

    def bytes_of(self, table, key, is_tombstone=False):
        value = 0 if is_tombstone else self.value_bytes_of(table, key)
        return entry_bytes(4 if table.number == 0 else self.key_bytes, value)

    def all_bytes(self, table):
        """Of keys and values. Counted again when there are more or fewer."""
        if getattr(table, "counted", None) != len(table.values):
            table.counted = len(table.values)
            table.all = sum(self.key_bytes + self.value_bytes_of(table, key) for key in table.values)
        return table.all

    def live_bytes(self):
        return sum(self.all_bytes(table) for table in self.tables.values())

    @staticmethod
    def section_bytes(data):
        data = up(data, 8)
        return up(data + 8 * -(-data // 16384), 64) + 256

    # -- sweep

    def hash_of(self, table, key):
        known = self.hashes.get((table.number, key))
        if known is None:
            known = self.hashes[table.number, key] = checksum((table.number, key, 77)) % HASH_END
        return known

    def in_order(self, table):
        """[(hash, key)] ascending; kept while no key comes or goes."""
        if getattr(table, "order_of", None) != table.values.keys():
            table.order = sorted((self.hash_of(table, key), key) for key in table.values)
            table.order_of = set(table.values)
        return table.order

    def sweep(self, target, cursor):
        """[(number, key, value)], their bytes, the cursor behind them, how far ahead it is then."""
        swept, size, batches = [], 0, 0
        ahead = self.ahead if self.on("what is swept ahead is owed no more") else 0
        ahead, target = max(ahead - target, 0), max(target - ahead, 0)
        while size < target:
            revolution, number, position = cursor
            numbers = [n for n in sorted(self.tables) if n >= number]
            if not numbers:
                return swept, size, (revolution + 1, 0, 0), ahead
            table = self.tables[numbers[0]]
            if table.number != number:
                position = 0
            keys, position = self.gather(table, position, target - size)
            batches += 1
            if self.on("sweep everything") or batches % 5 != 4:
                batch = [key for key in keys if key not in table.changed]
                swept += [(table.number, key, table.values[key]) for key in batch]
                batch_bytes = sum(self.bytes_of(table, key) for key in batch)
                self.largest_batch = max(self.largest_batch, batch_bytes)
                size += batch_bytes
            cursor = (revolution, table.number, position)
            if position >= HASH_END:
                cursor = (revolution, table.number + 1, 0)
        return swept, size, cursor, ahead + max(size - target, 0)

    def gather(self, table, position, left):
        order = self.in_order(table)
        average = self.all_bytes(table) // max(1, len(order)) + 16  # as sweep_count
        wanted = min(int(left) // average + 1, self.batch)
        if not self.on("position is a hash"):
            buckets = max(1, len(order) // 4)
            keys = [key for hash_value, key in order if hash_value * buckets // HASH_END == position]
            return keys, position + 1 if position + 1 < buckets else HASH_END
        low, high = 0, len(order)
        while low < high:
            middle = (low + high) // 2
            if order[middle][0] < position:
                low = middle + 1
            else:
                high = middle
        homes = max(1, len(order) // HOME_ENTRIES)  # a bucket is taken whole
        end = low + wanted
        while low < end < len(order) and order[end][0] * homes // HASH_END == order[end - 1][0] * homes // HASH_END:
            end += 1
        keys = order[low:end]
        end = keys[-1][0] + 1 if end < len(order) else HASH_END
        return [key for _, key in keys], end

    # -- commit

    def commit(self, note, sync=False):
        if note != self.note or any(t.changed or t.dead for t in self.tables.values()):
            self.section_write(note)
        if sync:
            self.sync()
        self.trim()

    def section_write(self, note):
        order = [self.tables[n] for n in sorted(self.tables)]
        delta = [(t.number, key, t.values[key]) for t in order for key in t.changed]
        dead = [(t.number, key, None) for t in order for key in t.dead]
        if len({(number, key) for number, key, _ in delta}) != len(delta):
            raise Violation("I2: a key is in the delta twice")
        data = sum(self.bytes_of(t, key) for t in order for key in t.changed)
        data += sum(self.bytes_of(t, key, True) for t in order for key in t.dead)
        owed = self.section_bytes(data + 8) * SWEEP_RATIO
        swept, swept_bytes, cursor, ahead = self.sweep(owed, self.cursor)
        if not self.on("refusal keeps the cursor"):
            self.cursor = cursor
        size = self.section_bytes(data + swept_bytes + 8)
        # The file is chosen before the section is written: by what its records take in memory.
        marked = sum(self.bytes_of(t, key) - 8 for t in order for key in [*t.changed, *t.dead])
        self.choose_file(marked * (1 + SWEEP_RATIO))
        pieces = self.pieces_of(delta, dead, swept, data + swept_bytes)
        footer = Footer(
            number=self.number + 1, incarnation=self.incarnation if self.on("incarnation") else 0,
            previous=self.identity, pieces=len(pieces), content=checksum(pieces), note=note,
            first_needed=self.first_needed(cursor), synced_through=self.synced, before=self.cursor,
            after=cursor, next_number=self.next_number)
        self.write_section(pieces, footer, size)
        self.number, self.note, self.identity = footer.number, note, checksum(footer)
        self.sections[footer.number] = (footer.before, self.current)
        self.swept_beyond = max(0, self.swept_beyond + swept_bytes - owed)
        if self.swept_beyond > self.largest_batch:
            raise Violation("I7: more is swept than was owed")
        self.needed, self.cursor, self.ahead, self.marked = footer.first_needed, cursor, ahead, False
        self.changed_bytes += data
        for table in order:
            if self.on("born ends with the commit"):
                table.changed.clear()
            else:
                table.changed = {key: True for key, born in table.changed.items() if born}
            table.dead.clear()

    @staticmethod
    def pieces_of(delta, dead, swept, data):
        count = max(1, data // PIECE_BYTES)
        pieces = []
        for kind, entries in (("delta", delta), ("dead", dead), ("swept", swept)):
            share = max(1, -(-len(entries) // count))
            pieces += [(kind, tuple(entries[i:i + share])) for i in range(0, len(entries), share)]
        return pieces

    def write_section(self, pieces, footer, size):
        file = self.disk.files[self.current]
        kept, kept_bytes = len(file.pieces), file.bytes
        try:
            for piece in pieces:
                self.disk.append(self.current, piece, 0)
            self.disk.append(self.current, ("footer", footer), size)
        except Full:
            self.disk.cut(self.current, kept, kept_bytes)
            raise
        self.written += size

    def choose_file(self, size):
        limit = max(self.file_bytes_min, self.live_bytes() // 16)
        if self.current is None:
            self.make_file(sync=self.on("first file synced"))
        elif (any(file == self.current for _, file in self.sections.values())
              and self.disk.files[self.current].bytes + size > limit):
            self.make_file(sync=False)

    def make_file(self, sync):
        number = max([self.file_last, *self.disk.files]) + 1
        self.disk.create(number)
        self.file_last = number
        try:
            self.disk.append(number, ("header", self.incarnation), 4096)
        except Full:
            self.disk.unlink(number)
            raise
        self.own.append(number)
        self.current, self.names_new = number, True
        self.written += 4096
        if sync:
            self.sync_files()

    def sync_files(self):
        for number in self.own:
            file = self.disk.files[number]
            if file.synced < len(file.pieces):
                self.disk.sync_file(number)
        if self.names_new:
            self.disk.sync_names()
        self.names_new = False

    def sync(self):
        if self.synced == self.number:
            return
        self.sync_files()
        self.synced = self.number
        self.align()

    def align(self):
        if self.current is None:
            return
        file = self.disk.files[self.current]
        if self.on("block after a sync"):
            file.bytes = up(file.bytes, 4096)
        else:
            file.pieces.append(("shares", None))
            file.synced += 1

    # -- trim

    def first_needed(self, cursor):
        if not self.sections:
            return self.number + 1
        then = (cursor[0] - 1, *cursor[1:])
        needed = max((n for n, (before, _) in self.sections.items() if before <= then), default=min(self.sections))
        return needed if self.on("trim exact") else min(needed + 1, self.number)

    def unneeded(self):
        wanted = {file for number, (_, file) in self.sections.items() if number >= self.needed}
        return [n for n in self.disk.visible() if n not in wanted and n != self.current]

    def trim(self):
        self.sections = {n: place for n, place in self.sections.items() if n >= self.needed}
        in_current = any(file == self.current for _, file in self.sections.values())
        if not in_current or not self.unneeded():
            return
        if self.on("sync before unlink"):
            self.sync()
        for number in self.unneeded():
            self.disk.unlink(number)
            if number in self.own:
                self.own.remove(number)

    def close(self):
        if self.on("sync before the mark"):
            self.sync()
        if self.number and not self.marked:
            if self.current is None:
                self.make_file(sync=True)
            if self.on("mark of a clean close"):
                self.disk.append(self.current, ("mark", (self.number, self.identity)), 64)
            self.sync_files()

    # -- recovery

    def found(self):
        """(number, identity) -> (file, index of its footer, footer, whole?), the floor, the mark."""
        found, floor, mark, incarnation = {}, 0, None, 0
        files = self.disk.visible()
        all_pieces = [self.disk.files[number].pieces for number in files]
        if not any(pieces and pieces[0] for pieces in all_pieces) and any(len(pieces) > 1 for pieces in all_pieces):
            raise Corrupt("no header holds")
        for number in files if self.on("youngest copy counts") else files[::-1]:
            pieces = self.disk.files[number].pieces
            header = bool(pieces) and pieces[0] is not None
            incarnation = max(incarnation, pieces[0][1] if header else 0)
            for index, piece in enumerate(pieces):
                if piece and piece[0] == "mark":
                    floor = max(floor, piece[1][0])
                    if mark is None or piece[1][0] > mark[0]:
                        mark = piece[1]
                if not piece or piece[0] != "footer":
                    continue
                footer = piece[1]
                floor = max(floor, footer.synced_through)
                incarnation = max(incarnation, footer.incarnation)
                body = pieces[index - footer.pieces:index]
                key = (footer.number, checksum(footer))
                if header and index >= footer.pieces and None not in body and checksum(body) == footer.content:
                    found[key] = (number, index, footer, body)
        return found, floor, mark, incarnation

    def chain(self, found):
        best = []
        for key in sorted(found, reverse=True):
            if best and key[0] < best[-1][2].number:
                break
            chain = [found[key]]
            needed = chain[0][2].first_needed
            while chain[-1][2].number > needed:
                before = found.get((chain[-1][2].number - 1, chain[-1][2].previous))
                if before is None and not self.on("chain without gaps"):
                    break
                if before is None:
                    chain = []
                    break
                chain.append(before)
            if chain and best and self.on("chain without gaps"):
                raise Violation(f"I4: two chains end in {key[0]}")
            if chain and not best:
                best = chain[::-1]
        return best

    def recover(self):
        found, floor, mark, incarnation = self.found()
        chain = self.chain(found)
        last = chain[-1][2] if chain else None
        self.number = last.number if last else 0
        if self.number < floor and self.on("floor"):
            raise Corrupt(f"commit {floor} was synced, {self.number} is whole")
        if last and mark and mark[0] == self.number and mark[1] != checksum(last):
            raise Corrupt("the mark is of another")
        self.file_last = max(self.disk.files, default=0)
        self.note = last.note if last else None
        self.identity = checksum(last) if last else 0
        self.cursor = last.after if last else (0, 0, 0)
        self.needed = last.first_needed if last else 1
        self.next_number = last.next_number if last else 1
        self.synced = floor if last else 0
        self.marked = bool(mark) and mark[0] == self.number
        self.incarnation = incarnation + 1
        self.sections = {f.number: (f.before, file) for file, _, f, _ in chain}
        self.own = []
        self.replay(chain)
        self.copy_tail(chain)

    def replay(self, chain):
        state = {}
        order = ("swept", "dead", "delta")
        if not self.on("tombstones before delta"):
            order = ("swept", "delta", "dead")
        for _, _, _, body in chain:
            for kind in order:
                for piece_kind, entries in body:
                    for number, key, value in entries if piece_kind == kind else ():
                        if kind == "dead":
                            state.pop((number, key), None)
                        else:
                            state[number, key] = value
        names = {key: value for (number, key), value in state.items() if number == 0}
        for number in names.values():
            self.tables[number] = Table(number)
        for (number, key), value in state.items():
            if number not in self.tables and not self.on("numbers gone are dropped"):
                self.tables[number] = Table(number)
            if number in self.tables:
                self.tables[number].values[key] = value
        if not self.on("next number in the footer"):
            self.next_number = max(names.values(), default=0) + 1

    def copy_tail(self, chain):
        tail = [part for part in chain if part[2].number > self.synced]
        if not tail or not self.on("tail copied"):
            return
        self.make_file(sync=True)
        for _, _, footer, body in tail:
            self.write_section(body, footer, 0)
            self.sections[footer.number] = (footer.before, self.current)
        self.sync()
        for number in self.unneeded():
            self.disk.unlink(number)


# ---- random lives --------------------------------------------------------------------------------------


def copied(state):
    return {name: dict(table) for name, table in state.items()}


class Run:
    """One seed: changes, commits, closes, crashes and recoveries beside a reference."""

    def __init__(self, seed, off=()):
        self.rng = random.Random(seed)
        self.off = off
        self.disk = Disk(self.rng)
        self.keys = self.rng.choice((4, 12, 40, 120))
        self.large_bytes = (24, 1500)[seed % 2]  # of the value of one key
        self.commit_share = self.rng.choice((0.05, 0.15, 0.3))
        self.sync_share = self.rng.choice((0.0, 0.2, 0.6))
        self.table_share = self.rng.choice((0.005, 0.05))
        self.repeat_share = self.rng.choice((0.2, 0.9))
        self.crash_spacing = self.rng.choice((30, 120, 400))
        self.file_bytes_min = self.rng.choice((4500, 6000, 12000))
        self.state, self.snapshot = {}, None
        self.history = {0: ({}, None)}
        self.begun = 0
        self.lost = []
        self.journal = {}
        self.serial = 0
        self.counts = dict.fromkeys(("commits", "refused", "crashes", "closes", "damaged", "found"), 0)
        self.store = None

    def value_bytes_of(self, key):
        return self.large_bytes if key == 1 else 24

    def open(self, floor, ceiling):
        self.store = Store(self.disk, self.off, self.file_bytes_min, 8, self.value_bytes_of)
        number = self.store.number
        if not floor <= number <= ceiling:
            raise Violation(f"I1: commit {number} came back, {floor} to {ceiling} may")
        state, note = self.history[number]
        if self.store.view() != state or self.store.note != note:
            raise Violation(f"I1: commit {number} came back as another")
        if set(self.store.tables) - {0} != set(self.store.tables[0].values.values()):
            raise Violation(f"I6: with commit {number} came a table that has no name")
        self.state = copied(state)
        return number

    def execute(self, steps):
        self.open(0, 0)
        for _ in range(steps):
            try:
                self.step()
            except Crash:
                self.crash()
            except Corrupt as answer:
                raise Violation(f"I1: nothing is damaged, and yet: {answer}") from None
        self.damage()
        return self.counts

    def step(self):
        if self.disk.calls_left is None:
            self.disk.calls_left = self.rng.randint(1, self.crash_spacing)
        if self.lost:
            operation = self.lost.pop(0)
        else:
            operation = self.choose()
        if operation[0] != "commit":
            self.journal.setdefault(self.begun, []).append(operation)
        getattr(self, operation[0])(*operation[1:])

    def choose(self):
        rng = self.rng
        name = rng.choice(NAMES)
        if rng.random() < self.commit_share:
            return ("commit", rng.random() < self.sync_share)
        if rng.random() < self.table_share:
            return rng.choice((("clear", name), ("drop", name), ("take",), ("restore",), ("close",)))
        key = rng.randrange(self.keys)
        if rng.random() < 0.65:
            self.serial += 1
            return ("put", name, key, self.serial)
        return ("delete", name, key)

    def put(self, name, key, value):
        self.store.put(name, key, value)
        self.state.setdefault(name, {})[key] = value

    def delete(self, name, key):
        self.store.delete(name, key)
        self.state.setdefault(name, {}).pop(key, None)

    def clear(self, name):
        self.store.clear(name)
        self.state[name] = {}

    def drop(self, name):
        self.store.drop(name)
        self.state.pop(name, None)

    def take(self):
        self.snapshot = copied(self.state)

    def restore(self):
        if self.snapshot is not None:
            self.store.restore(self.snapshot)
            self.state = copied(self.snapshot)

    def commit(self, sync):
        self.serial += 1
        note = self.serial if self.rng.random() < 0.5 else self.store.note
        self.begun = self.store.number + 1
        self.history[self.begun] = (copied(self.state), note)
        self.disk.refusing = self.rng.random() < 0.1
        try:
            self.store.commit(note, sync)
            self.counts["commits"] += 1
        except Full:
            self.counts["refused"] += 1
        finally:
            self.disk.refusing = False
        self.begun = self.store.number
        if self.store.view() != self.state:
            raise Violation("I3: the store does not read as the reference")

    def close(self):
        """In order, then opened again: nothing may be lost."""
        number = self.store.number
        self.store.close()
        self.counts["closes"] += 1
        self.disk.calls_left = None
        self.open(number, number)
        self.snapshot = None

    def crash(self):
        self.counts["crashes"] += 1
        store, returned = self.store, self.store.number
        synced = store.synced
        power = self.rng.random() < 0.6
        floor = synced if power else returned
        while True:
            if power:
                self.disk.lose_power()
            self.disk.calls_left = self.rng.choice((2, 6, 15, None))
            if self.disk.calls_left is not None:
                self.disk.calls_left = self.rng.randint(0, self.disk.calls_left)
            try:
                number = self.open(floor, max(self.begun, returned))
                break
            except Crash:
                power = self.rng.random() < 0.5
                floor = synced if power else floor
            except Corrupt as answer:
                raise Violation(f"I1: nothing is damaged, and yet: {answer}") from None
        self.disk.calls_left = None
        self.lost = []
        if self.rng.random() < self.repeat_share:  # a source that is read again
            for begun in range(number, self.begun + 1):
                self.lost += [o for o in self.journal.get(begun, []) if o[0] not in ("take", "restore", "close")]
                self.lost.append(("commit", False))
        self.journal = {}
        self.history = {n: pair for n, pair in self.history.items() if n <= number}
        self.begun, self.snapshot = number, None

    def damage(self):
        """I5: one piece of what is there, in copies of the disk."""
        self.disk.calls_left = None
        clean = self.rng.random() < 0.5
        newest, proved = self.store.number, 0
        if clean:
            self.store.close()
        for file in self.disk.files.values():
            proved = max([proved] + [p[1].synced_through for p in file.pieces if p and p[0] == "footer"])
        floor = newest if clean else min(proved, newest)
        for number in self.disk.visible():
            for index, piece in enumerate(self.disk.files[number].pieces):
                if piece is None or piece[0] == "shares":
                    continue
                self.counts["damaged"] += 1
                self.disk.files[number].pieces[index] = None
                kept = {n: (list(f.pieces), f.synced) for n, f in self.disk.files.items()}
                try:
                    self.open(floor, newest)
                except Corrupt:
                    self.counts["found"] += 1
                for n in list(self.disk.files):
                    if n not in kept:
                        del self.disk.files[n]
                        continue
                    file = self.disk.files[n]
                    file.pieces, file.synced, file.unlinked = list(kept[n][0]), kept[n][1], False
                self.disk.files[number].pieces[index] = piece


# ---- steady churn --------------------------------------------------------------------------------------

Steady = namedtuple("Steady", "ratio written")


def steady(live, value_bytes, per_commit, workload, commits, file_bytes_min, sync_every=7):
    """(worst bytes of files for a live byte, bytes written for a byte changed), after a third of the commits."""
    rng = random.Random(1)
    sizes = value_bytes if callable(value_bytes) else lambda key: value_bytes
    store = Store(Disk(rng), (), file_bytes_min, 8, sizes, GATHERED)
    for key in range(live):
        store.put("t", key, 0)
    store.commit(None)
    oldest, newest, worst = 0, live, 0.0
    live_bytes = sum(entry_bytes(8, sizes(key)) for key in range(live))
    for number in range(commits):
        if number == commits // 3:
            store.written = store.changed_bytes = 0
        for i in range(per_commit):
            if workload == "uniform":
                store.put("t", rng.randrange(live), (number, i))
            elif workload == "skewed":
                store.put("t", int(live * rng.random() ** 4), (number, i))
            else:
                store.put("t", newest, 0)
                store.delete("t", oldest)
                oldest, newest = oldest + 1, newest + 1
        store.commit(None, number % sync_every == 0)
        if number > commits // 3:
            size = sum(store.disk.files[n].bytes for n in store.disk.visible())
            worst = max(worst, size / live_bytes)
    return Steady(worst, store.written / store.changed_bytes)


def churn():
    """As in_steady_churn_the_disk_holds_a_bounded_multiple_of_the_live_bytes of test_durable.c."""
    return steady(5000, 200, 50, "uniform", 600, 32 << 10)


def few_large(key):
    return 20000 if key % 100 == 99 else 100


STEADY = (  # live entries, bytes of a value, changes a commit, workload, commits, file_bytes_min
    (5000, 200, 5, "uniform", 3000, 32 << 10),
    (5000, 200, 50, "uniform", 600, 32 << 10),
    (5000, 200, 500, "uniform", 100, 32 << 10),
    (5000, 200, 200, "skewed", 300, 32 << 10),
    (5000, 200, 50, "churn", 600, 32 << 10),
    (5000, 8, 50, "uniform", 600, 32 << 10),
    (5000, few_large, 5, "skewed", 3000, 32 << 10),
)


def steady_table():
    print("| entries | value | changed a commit | | disk per live byte, at worst | written per changed byte |")
    print("|---:|---:|---:|---|---:|---:|")
    for live, value, count, workload, commits, least in STEADY:
        result = steady(live, value, count, workload, commits, least)
        value = "100 B; one in 100: 20,000" if callable(value) else f"{value} B"
        print(f"| {live:,} | {value} | {count} | {workload} | {result.ratio:.2f} | {result.written:.2f} |")


# ---- main ----------------------------------------------------------------------------------------------


def mutants(seeds):
    survivors = 0
    for rule, meaning in RULES.items():
        for seed in range(seeds):
            try:
                Run(seed, (rule,)).execute(STEPS)
            except Violation as violation:
                print(f"caught   seed {seed:3}  {rule}: {violation}", flush=True)
                break
        else:
            survivors += 1
            print(f"SURVIVED {rule}: {meaning}", flush=True)
    print(f"{len(RULES) - survivors} of {len(RULES)} mutants caught")
    return survivors


def main(arguments):
    if arguments[:1] == ["--mutants"] and len(arguments) < 3:
        return 1 if mutants(int(arguments[1]) if len(arguments) == 2 else MUTANT_SEEDS) else 0
    if arguments == ["--steady"]:
        return steady_table()
    if arguments in (["--churn"], ["--bench"]):
        result = churn() if arguments == ["--churn"] else steady(100000, 128, 1000, "uniform", 300, 1 << 20, 10**9)
        print(f"at worst {result.ratio:.2f} bytes of disk for a live one, "
              f"{result.written:.2f} written for a changed one")
        return 1 if result.ratio > DISK_RATIO_ALLOWED else 0
    seeds = range(SEEDS)
    if len(arguments) == 2 and arguments[0] == "--seeds":
        seeds = range(int(arguments[1]))
    elif len(arguments) == 2 and arguments[0] == "--seed":
        seeds = [int(arguments[1])]
    elif arguments:
        print(__doc__, file=sys.stderr)
        return 2
    totals = {}
    for seed in seeds:
        try:
            counts = Run(seed).execute(STEPS)
        except Violation as violation:
            print(f"FAIL seed {seed}: {violation}")
            return 1
        for name, count in counts.items():
            totals[name] = totals.get(name, 0) + count
    print(f"ok: {len(seeds)} seeds, " + ", ".join(f"{count} {name}" for name, count in totals.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
