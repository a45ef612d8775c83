// SPDX-License-Identifier: Apache-2.0

/// How a server's account of the vault fails a device's memory of it; shown, never repaired silently.
public enum HeadFault: Error, Equatable, Sendable {
  /// An older head, or generation, than the one this device pinned.
  case rolledBack
  /// Another history than the one this device pinned, or a head sealed under an ended epoch.
  case forked
  /// Rows, heads or links are missing or do not add up to the head's root.
  case incomplete
}

/// Checks the path of heads from a pin to the newest head (SPEC §8).
public enum HeadChain {
  /// The newest head of `path`, verified against `pin`.
  ///
  /// `path` holds `(seq, blob)` from the newest down to the pinned one, or to the lower bound of a
  /// slot, both ends included; each head names the next by `previous` or a skip link.
  ///
  /// - Parameters:
  ///   - pin: What this device verified last, or its slot's base; `nil` for a vault whose first
  ///     head is the path's last.
  ///   - newest: The seq and generation that the server announced.
  /// - Throws: ``HeadFault``.
  public static func verify(
    _ path: [(seq: UInt64, blob: [UInt8])], from pin: HeadPoint?,
    newest: (generation: UInt32, seq: UInt64), keyring: borrowing Keyring, uid: ObjectID
  ) throws(HeadFault) -> (head: Head, point: HeadPoint) {
    if let pin {
      guard newest.generation >= pin.generation else { throw .rolledBack }
      guard newest.generation == pin.generation else { throw .forked }
      guard newest.seq >= pin.seq else { throw .rolledBack }
    }
    guard let first = path.first, first.seq == newest.seq else { throw .incomplete }
    var heads: [(head: Head, hash: Digest)] = []
    for step in path {
      let head: Head
      do {
        head = try Head(opening: step.blob, with: keyring, uid: uid)
      } catch {
        throw .incomplete
      }
      guard head.seq == step.seq, head.generation == newest.generation else { throw .forked }
      let hash = Digest(ofBlob: step.blob.span)
      if let above = heads.last {
        guard above.head.links(toSeq: head.seq, hash: hash) else { throw .forked }
        guard above.head.epoch >= head.epoch else { throw .forked }
      }
      heads.append((head, hash))
    }
    guard let top = heads.first, let bottom = heads.last else { throw .incomplete }
    if let pin {
      guard bottom.head.seq == pin.seq else { throw .incomplete }
      guard bottom.hash == pin.hash else { throw .forked }
    } else {
      guard bottom.head.seq == 1 else { throw .incomplete }
    }
    return (
      top.head, HeadPoint(generation: top.head.generation, seq: top.head.seq, hash: top.hash)
    )
  }
}
