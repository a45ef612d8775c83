// SPDX-License-Identifier: Apache-2.0

/// One SQL statement with its parameters.
public struct Statement: Sendable {
  /// The SQL, with `$1`, `$2`… for the parameters.
  public let text: String
  /// The parameters, bound apart from the text.
  public let values: [Value]
  /// The name it is prepared under on each connection; nil parses it anew each time.
  public let name: String?

  /// A statement.
  ///
  /// - Parameters:
  ///   - text: One SQL statement; parameters are `$1`, `$2`…
  ///   - values: The parameters.
  ///   - name: Prepares it once per connection, in the round trip of its first use. One name
  ///     must always stand for the same text.
  public init(_ text: String, _ values: [Value] = [], name: String? = nil) {
    self.text = text
    self.values = values
    self.name = name
  }
}
