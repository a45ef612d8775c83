# SPDX-License-Identifier: Apache-2.0
"""Vectors of the head chain's shortest paths and of a client's judgement of a snapshot."""

import blob as b
import chain as c
import forms
from vectors import UID, VAULT_KEYS, Subject, flip
from vectors_head import make_chain, make_first, rows_field


def subjects():
    return [paths(), verdicts(), beginnings()]


def paths():
    s = Subject("path", "Shortest path of heads over prev and skip links, as the feed sends it.")
    for first, last in (
        (1, 1), (1, 2), (4, 5), (1, 17), (3, 18), (16, 17), (15, 33), (64, 65), (63, 257),
        (100, 4711), (1, 100_000), (99_999, 100_000), (5, 16_777_217), (1, 20_000_000),
    ):  # fmt: skip
        s.case(f"{first} to {last}", first=first, last=last, path=c.path(first, last))
    return s


def verdicts():
    s = Subject(
        "verdict",
        "pin, announced head, path of head blobs and rows: accepted (the new pin is the announced"
        " head's), or the state to be shown. Keys: those of the epochs listed. Where changed is"
        " given, rows are those that the device verified at its pin and changed those of the feed:"
        " a later row of a record replaces the earlier one.",
    )
    honest = make_chain(s.stream, 21, lambda seq: 1 if seq < 10 else 2)
    other = make_chain(s.stream, 6)
    forked = honest[:12] + fork(s.stream, honest[:12], 21)

    def blobs(seqs, source=honest):
        return [source[seq - 1][1] for seq in seqs]

    def fields(pin, announced, sent, rows, epochs):
        return dict(
            uid=UID, keys=[{"epoch": e, "vaultKey": VAULT_KEYS[e].hex()} for e in epochs],
            pinGeneration=pin[0], pinSeq=pin[1], pinHash=pin[2], generation=announced[0],
            seq=announced[1], heads=[sealed.hex() for sealed in sent], rows=rows_field(rows),
        )  # fmt: skip

    def judge(pin, announced, sent, rows, epochs):
        return c.verify({e: VAULT_KEYS[e] for e in epochs}, UID, pin, announced, sent, rows)

    def pin_at(seq, source=honest, generation=1):
        return generation, seq, b.blob_hash(source[seq - 1][1])

    def accepted(name, pin, last, seqs, epochs=(1, 2)):
        args = pin, (1, last), blobs(seqs), honest[last - 1][2], epochs
        head_hash = b.blob_hash(honest[last - 1][1])
        assert judge(*args) == (1, last, head_hash)
        s.case(name, **fields(*args), headHash=head_hash)

    def refused(name, error, pin, announced, sent, rows, epochs=(1, 2)):
        args = pin, announced, sent, rows, epochs
        s.refused(name, error, lambda: judge(*args), **fields(*args))

    accepted("nothing new", pin_at(21), 21, [21])
    accepted("the next head", pin_at(20), 21, [20, 21])
    accepted("over a skip link", pin_at(12), 21, [12, 16, 20, 21])
    accepted("the shortest path from the first", pin_at(1), 21, c.path(1, 21))
    accepted("every head instead of the shortest path", pin_at(17), 21, [17, 18, 19, 20, 21])
    accepted("before the rotation", pin_at(5), 9, c.path(5, 9), epochs=(1,))

    rows = honest[20][2]
    full = blobs([12, 16, 20, 21])
    refused("an older seq", "rolledBack", pin_at(21), (1, 20), blobs([20]), honest[19][2])
    older = (2, 1, b.blob_hash(honest[0][1]))
    refused("an older generation", "rolledBack", older, (1, 21), blobs([21]), rows)
    refused("a newer generation is another story", "generation", pin_at(20), (2, 21), full, rows)
    refused("another head at the pin", "forked", (1, 6, b.blob_hash(other[5][1])), (1, 6),
            blobs([6]), honest[5][2])  # fmt: skip
    refused("the path starts elsewhere", "forked", pin_at(12), (1, 21), blobs([16, 20, 21]), rows)
    refused("a fork after the pin", "forked", pin_at(16), (1, 21), blobs([16], honest)
            + blobs([20, 21], forked), forked[20][2])  # fmt: skip
    refused("a fork by prev", "forked", pin_at(20), (1, 21), blobs([20])
            + blobs([21], forked), forked[20][2])  # fmt: skip
    refused("no path", "incomplete", pin_at(12), (1, 21), [], rows)
    refused("a gap", "incomplete", pin_at(12), (1, 21), blobs([12, 21]), rows)
    refused("a path backwards", "incomplete", pin_at(12), (1, 21), blobs([12, 21, 20]), rows)
    refused("stops short of the announced head", "incomplete", pin_at(12), (1, 21), full[:3], rows)
    refused("a head that does not open", "incomplete", pin_at(12), (1, 21),
            full[:3] + [flip(full[3], -1)], rows)  # fmt: skip
    refused("a row missing", "incomplete", pin_at(12), (1, 21), full, rows[:-1])
    refused(
        "a row more", "incomplete", pin_at(12), (1, 21), full, rows + [(bytes(16), 1, bytes(32))]
    )
    swapped = [(rows[0][0], *rows[1][1:]), (rows[1][0], *rows[0][1:]), *rows[2:]]
    refused("two rows exchanged", "incomplete", pin_at(12), (1, 21), full, swapped)
    stale = [(rows[0][0], rows[0][1] - 1, rows[0][2]), *rows[1:]]
    refused("an older revision of a row", "incomplete", pin_at(12), (1, 21), full, stale)
    refused("a row twice", "incomplete", pin_at(12), (1, 21), full, rows + rows[:1])
    refused("only heads of an epoch before the newest key's", "forked", pin_at(5), (1, 9),
            blobs(c.path(5, 9)), honest[8][2])  # fmt: skip

    changed_rows(s, honest, fields, judge, pin_at, blobs)

    def head_after(name, seq, epoch=2, rows=None, count=0, **links):
        """A successor of honest head `seq` with something else in it than there should be."""
        previous = honest[seq - 1]
        listed = honest[seq][2] if rows is None else rows
        made = successor(s.stream, name, previous, epoch, 1, listed)[0]
        for place, value in links.items():
            if place == "prev":
                made.prev = value
            else:
                made.skips[int(place[4:]) - 1] = value
        made.count += count
        return forms.seal_head(VAULT_KEYS[epoch], UID, s.stream.bytes(f"{name} seal", 32), made)

    elsewhere = s.stream.bytes("another head's hash", 32)
    at17 = honest[16][2]
    for name, link in (("prev", "prev"), ("the first skip link", "skip1"),
                       ("the second skip link", "skip2")):  # fmt: skip
        sealed = head_after(f"wrong {link}", 16, **{link: elsewhere})
        refused(f"right links, but {name} names another head", "forked", pin_at(16), (1, 17),
                [honest[15][1], sealed], at17)  # fmt: skip
    miscounted = head_after("count", 20, count=1)
    refused("a count that is not the rows'", "incomplete", pin_at(20), (1, 21),
            [honest[19][1], miscounted], rows)  # fmt: skip
    dip = successor(s.stream, "dip", honest[20], 1, 1, rows)
    after = successor(s.stream, "after the dip", dip, 2, 1, rows)
    refused("a head of an ended epoch in the middle", "forked", pin_at(21), (1, 23),
            [honest[20][1], dip[1], after[1]], rows)  # fmt: skip

    falling = make_falling(s.stream, honest)
    refused("an old key writes after the rotation", "forked", pin_at(21), (1, 22),
            [honest[20][1], falling], rows)  # fmt: skip
    reborn = make_falling(s.stream, honest, epoch=2, generation=2)
    refused("the generation changes within a chain", "forked", pin_at(21), (1, 22),
            [honest[20][1], reborn], rows)  # fmt: skip
    return s


def changed_rows(s, honest, fields, judge, pin_at, blobs):
    """A delta: the rows verified at the pin, head 16, and what the feed says has changed since."""
    known = honest[15][2]
    before, now = dict((row[0], row) for row in known), honest[20][2]
    news = [row for row in now if before.get(row[0]) != row]
    path = blobs(c.path(16, 21))

    def case(name, error, changed):
        args = pin_at(16), (1, 21), path, known, (1, 2)
        given = {**fields(*args), "changed": rows_field(changed)}
        overlaid = c.overlay(known, changed)
        if error:
            s.refused(name, error, lambda: judge(*args[:3], overlaid, args[4]), **given)
        else:
            assert judge(*args[:3], overlaid, args[4])[1] == 21
            s.case(name, **given, headHash=b.blob_hash(honest[20][1]))

    between = (news[0][0], news[0][1] - 1, s.stream.bytes("between", 32))
    case("a delta", None, news)
    case("a delta in another order", None, news[::-1])
    case("a delta with a record twice: the later counts", None, [between, *news])
    case("a delta with rows that did not change", None, [*known[:1], *news])
    case("a delta that withholds a change", "incomplete", news[1:])
    case("a delta that turns a record back", "incomplete", [*news, between])
    case("a delta with a record that is not in the vault", "incomplete",
         [*news, (bytes(16), 1, bytes(32))])  # fmt: skip
    case("no change, but another head", "incomplete", [])


def beginnings():
    s = Subject(
        "beginning",
        "A device without a pin in the announced generation: heads from its head 1 up, all rows."
        " accepted: firstHash is its first pin, headHash its pin in the end. Keys: those of the"
        " epochs listed.",
    )
    before = make_chain(s.stream, 3)
    base = before[2][2]
    first = make_first(s.stream, "first", 2, 1, before[2][1], base)
    chain = [first]
    for seq in range(2, 7):
        chain.append(successor(s.stream, "begun", chain[-1], 1 if seq < 5 else 2, 2, base))

    def fields(generation, seq, sent, rows, epochs):
        return dict(
            uid=UID, keys=[{"epoch": e, "vaultKey": VAULT_KEYS[e].hex()} for e in epochs],
            generation=generation, seq=seq, heads=[sealed.hex() for sealed in sent],
            rows=rows_field(rows),
        )  # fmt: skip

    def judge(generation, seq, sent, rows, epochs):
        keys = {e: VAULT_KEYS[e] for e in epochs}
        return c.verify_beginning(keys, UID, (generation, seq), sent, rows)

    def accepted(name, seq, sent, epochs):
        args = 2, seq, sent, base, epochs
        assert judge(*args) == (2, seq, b.blob_hash(sent[-1]))
        s.case(
            name, **fields(*args), firstHash=b.blob_hash(sent[0]), headHash=b.blob_hash(sent[-1])
        )

    def refused(name, error, *args):
        s.refused(name, error, lambda: judge(*args), **fields(*args))

    sent = [head[1] for head in chain]
    accepted("its first head alone", 1, sent[:1], (1,))
    accepted("up to a later head", 4, sent[:4], (1,))
    accepted("begun in an epoch that has ended since", 6, sent, (1, 2))
    refused("no head", "incomplete", 2, 1, [], base, (1,))
    refused("not from the first head on", "incomplete", 2, 4, sent[1:4], base, (1,))
    refused("the first head of another generation", "incomplete", 3, 1, sent[:1], base, (1,))
    refused("a first head under a key that is not held", "incomplete", 2, 1,
            [make_first(s.stream, "unknown key", 2, 3, before[2][1], base)[1]], base, (1, 2))  # fmt: skip
    refused("only heads of an ended epoch", "forked", 2, 4, sent[:4], base, (1, 2))
    refused("a gap", "incomplete", 2, 4, [sent[0], sent[3]], base, (1,))
    refused("a row missing", "incomplete", 2, 4, sent[:4], base[1:], (1,))
    return s


def successor(stream, name, previous, epoch, generation, rows):
    head, sealed, _, _ = previous
    prev_hash = b.blob_hash(sealed)
    following = forms.Head(
        generation, head.seq + 1, prev_hash, forms.root(rows), len(rows), epoch, head.device,
        head.time + 60_000, forms.skips_after(head, prev_hash),
    )  # fmt: skip
    salt = stream.bytes(f"{name} {following.seq} salt", 32)
    sealed = forms.seal_head(VAULT_KEYS[epoch], UID, salt, following)
    return following, sealed, rows, salt


def fork(stream, trunk, last):
    """Another branch on the trunk's last head, up to seq `last`."""
    branch = [trunk[-1]]
    while branch[-1][0].seq < last:
        branch.append(successor(stream, "fork", branch[-1], 2, 1, branch[-1][2]))
    return branch[1:]


def make_falling(stream, honest, epoch=1, generation=1):
    return successor(stream, f"{epoch} {generation}", honest[20], epoch, generation, honest[20][2])[
        1
    ]
