// SPDX-License-Identifier: Apache-2.0

/// The way along a chain of heads, known from the seqs alone (KEYFLOW.md §7).
///
/// A head links to the one before it and, for k = 1…12, to the newest earlier one whose seq is a
/// multiple of 4^k. So the server finds the shortest way without reading what is sealed.
public enum HeadPath {
  private static let levels: [UInt64] = (1...12).map { 1 << (2 * UInt64($0)) }

  /// The seqs from `pin` up to `newest`, both included, of which each links to the one before.
  ///
  /// Only `newest` where `pin` is 0 or not below it. Taking the longest link that does not pass
  /// the pin is optimal: any other link's way still goes through that link's end, since every
  /// multiple of 4^k stops all links of levels up to k, and longer ones pass the pin.
  /// At most 3 × 2 × 12 heads as long as seqs stay below 4^13.
  public static func seqs(from pin: UInt64, to newest: UInt64) -> [UInt64] {
    guard pin >= 1, pin < newest else { return [newest] }
    var path = [newest]
    var seq = newest
    while seq > pin {
      let ends = levels.map { (seq - 1) / $0 * $0 }
      seq = ends.last { $0 >= pin } ?? (seq - 1)
      path.append(seq)
    }
    return path.reversed()
  }
}
