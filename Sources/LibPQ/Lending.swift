// SPDX-License-Identifier: Apache-2.0

/// Lends pointers to all the values' bytes at once; an array's own memory, not a copy.
func withBytes<R>(
  of values: ArraySlice<Value>, _ pointers: [UnsafePointer<CChar>?] = unsafe [],
  _ body: ([UnsafePointer<CChar>?]) -> R
) -> R {
  guard let value = values.first else { return unsafe body(pointers) }
  guard let bytes = value.bytes else {
    return unsafe withBytes(of: values.dropFirst(), pointers + [nil], body)
  }
  return unsafe bytes.withUnsafeBytes { buffer in
    // A NULL pointer would say NULL, and an empty array may have no memory: point anywhere.
    let start = unsafe buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
    return unsafe "".withCString { empty in
      unsafe withBytes(of: values.dropFirst(), pointers + [start ?? empty], body)
    }
  }
}

/// Lends the strings as an array of C strings with a null at its end.
func withCStrings<R>(
  _ strings: [String], _ pointers: [UnsafePointer<CChar>?] = unsafe [],
  _ body: ([UnsafePointer<CChar>?]) -> R
) -> R {
  guard let string = strings.first else { return unsafe body(pointers + [nil]) }
  return unsafe string.withCString { pointer in
    unsafe withCStrings(Array(strings.dropFirst()), pointers + [pointer], body)
  }
}
