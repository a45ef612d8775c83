// SPDX-License-Identifier: Apache-2.0

/// A JSON value (RFC 8259), as an import finds it; members keep their order.
enum JSONValue: Equatable, Sendable {
  case null
  case bool(Bool)
  /// A number as it was written.
  case number(String)
  case string(String)
  case array([JSONValue])
  case object([(name: String, value: JSONValue)])

  static func == (a: JSONValue, b: JSONValue) -> Bool {
    switch (a, b) {
    case (.null, .null): true
    case (.bool(let a), .bool(let b)): a == b
    case (.number(let a), .number(let b)): a == b
    case (.string(let a), .string(let b)): a == b
    case (.array(let a), .array(let b)): a == b
    case (.object(let a), .object(let b)):
      a.count == b.count && zip(a, b).allSatisfy { $0.name == $1.name && $0.value == $1.value }
    default: false
    }
  }

  /// The first member of that name; `nil` where there is none or it is null.
  subscript(name: String) -> JSONValue? {
    guard case .object(let members) = self,
      let value = members.first(where: { $0.name == name })?.value, value != .null
    else { return nil }
    return value
  }

  /// The text of a string.
  var string: String? {
    if case .string(let text) = self { text } else { nil }
  }

  /// The elements of an array.
  var array: [JSONValue]? {
    if case .array(let values) = self { values } else { nil }
  }

  /// The value of a number.
  var double: Double? {
    if case .number(let text) = self { Double(text) } else { nil }
  }

  /// The value of a switch.
  var bool: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }
}
