// SPDX-License-Identifier: Apache-2.0

extension MutableSpan<UInt8> {
  /// Copies `bytes` to the place that begins at `offset`.
  public mutating func write(_ bytes: Span<UInt8>, at offset: Int = 0) {
    for index in bytes.indices { self[offset + index] = bytes[index] }
  }

  /// Copies `bytes`, which are not secret, to the place that begins at `offset`.
  public mutating func write(_ bytes: [UInt8], at offset: Int = 0) {
    write(bytes.span, at: offset)
  }
}
