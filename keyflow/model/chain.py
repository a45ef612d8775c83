# SPDX-License-Identifier: Apache-2.0
"""Head chain: links by arithmetic, the shortest path, and what a client checks (SPEC section 8)."""

import forms
from blob import blob_hash
from primitives import Refused, require


def link_targets(seq):
    """The seqs that head `seq` names: prev, and the newest multiple of 4^k before it."""
    targets = {seq - 1} | {(seq - 1) // 4**k * 4**k for k in range(1, forms.SKIPS + 1)}
    return {target for target in targets if target >= 1}


def path(first, last):
    """The shortest path of seqs from `first` up to `last`, both included."""
    seqs = [last]
    while seqs[-1] > first:
        seqs.append(min(target for target in link_targets(seqs[-1]) if target >= first))
    return seqs[::-1]


def linked(head, earlier, earlier_hash):
    """Whether `head` names `earlier`; refuses with the state that its failure shows."""
    names = [head.prev] if head.seq - 1 == earlier.seq else []
    names += [
        head.skips[k - 1]
        for k in range(1, forms.SKIPS + 1)
        if earlier.seq >= 1 and (head.seq - 1) // 4**k * 4**k == earlier.seq
    ]
    require(names, "incomplete")
    require(all(name == earlier_hash for name in names), "forked")


def overlay(rows, changed):
    """The rows verified last, with what a feed says has changed; a later row replaces an earlier."""
    merged = {row[0]: row for row in [*rows, *changed]}
    return list(merged.values())


def verify_beginning(keys, uid, announced, blobs, rows):
    """Judges a generation in which this device has no pin: its head 1 becomes the pin."""
    require(blobs, "incomplete")
    try:
        first = forms.open_head(keys, uid, blobs[0])
    except Refused:
        raise Refused("incomplete") from None
    require((first.generation, first.seq) == (announced[0], 1), "incomplete")
    return verify(keys, uid, (first.generation, 1, blob_hash(blobs[0])), announced, blobs, rows)


def verify(keys, uid, pin, announced, blobs, rows):
    """Judges a snapshot; gives the new pin (generation, seq, hash) and moves nothing else.

    `keys` are {epoch: vault key}, its highest epoch came from this user's own slot. `pin` and
    `announced` are (generation, seq, hash) and (generation, seq); `blobs` are the head blobs from
    the pin to the snapshot's head; `rows` are the rows as the server states them.
    """
    require(announced[0] >= pin[0], "rolledBack")
    require(announced[0] == pin[0], "generation")
    require(announced[1] >= pin[1], "rolledBack")
    require(blobs, "incomplete")
    require(blob_hash(blobs[0]) == pin[2], "forked")
    try:
        heads = [forms.open_head(keys, uid, sealed) for sealed in blobs]
    except Refused:
        raise Refused("incomplete") from None
    for earlier, head, sealed in zip(heads, heads[1:], blobs):
        require(head.generation == earlier.generation, "forked")
        linked(head, earlier, blob_hash(sealed))
        require(head.epoch >= earlier.epoch, "forked")
    last = heads[-1]
    require((last.generation, last.seq) == announced, "incomplete")
    require(last.epoch == max(keys), "forked")
    try:
        complete = forms.root(rows) == last.root and len(rows) == last.count
    except Refused:
        complete = False
    require(complete, "incomplete")
    return last.generation, last.seq, blob_hash(blobs[-1])
