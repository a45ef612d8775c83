// SPDX-License-Identifier: Apache-2.0
// swift-format-ignore-file: NeverForceUnwrap
// The pointers come from spans of a known size, checked to be nonempty.

#if canImport(Glibc)
  private import Glibc
#else
  private import Darwin
#endif

/// A file that holds secrets: mode 0600, this user's own, never reached through a symbolic link.
public enum SecretFile {
  /// What the file holds, at most `limit` bytes.
  ///
  /// - Throws: ``SecretFileError`` when there is none, when others could read it, or it is larger.
  public static func read(_ path: String, atMost limit: Int) throws(SecretFileError) -> SecretBytes
  {
    let file = unsafe open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
    guard file >= 0 else {
      if errno == ENOENT { throw .absent }
      if errno == ELOOP { throw .exposed }
      throw .system(errno)
    }
    defer { close(file) }
    var status = stat()
    guard unsafe fstat(file, &status) == 0 else { throw .system(errno) }
    guard status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o077 == 0,
      status.st_uid == geteuid()
    else { throw .exposed }
    guard status.st_size > 0, status.st_size <= limit else { throw .wrongSize }
    return try SecretBytes(count: Int(status.st_size)) { (out) throws(SecretFileError) in
      var done = 0
      while done < out.count {
        let count = unsafe out.withUnsafeMutableBytes {
          unsafe Glibc.read(file, $0.baseAddress! + done, $0.count - done)
        }
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { throw count == 0 ? .wrongSize : .system(errno) }
        done += count
      }
    }
  }

  /// Writes a new file, durable and whole: after a crash it is there with all bytes, or not at all.
  ///
  /// - Throws: ``SecretFileError/exists`` when the path is taken; nothing is overwritten.
  public static func create(
    _ path: String, _ secret: borrowing SecretBytes
  ) throws(SecretFileError) {
    let draft = path + ".new-\(UInt64.random(in: 0 ... .max))"
    let file = unsafe open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw .system(errno) }
    defer { unsafe unlink(draft) }
    do {
      defer { close(file) }
      try secret.withBytes { (bytes) throws(SecretFileError) in
        var done = 0
        while done < bytes.count {
          let count = unsafe bytes.withUnsafeBytes {
            unsafe write(file, $0.baseAddress! + done, $0.count - done)
          }
          if count < 0 && errno == EINTR { continue }
          guard count > 0 else { throw .system(errno) }
          done += count
        }
      }
      guard fsync(file) == 0 else { throw .system(errno) }
    }
    // A link, unlike a rename, never replaces what is there.
    guard unsafe link(draft, path) == 0 else {
      throw errno == EEXIST ? .exists : .system(errno)
    }
    try synchronizeFolder(of: path)
  }

  /// Gives the file at `path` the name `other`, whatever stood there before, durably: a crash leaves
  /// it whole under the one name or the other.
  ///
  /// - Throws: ``SecretFileError/absent`` when there is no such file.
  public static func move(_ path: String, over other: String) throws(SecretFileError) {
    guard unsafe rename(path, other) == 0 else {
      throw errno == ENOENT ? .absent : .system(errno)
    }
    try synchronizeFolder(of: other)
  }

  /// Makes the names in the folder of `path` survive a power cut.
  private static func synchronizeFolder(of path: String) throws(SecretFileError) {
    let slash = path.lastIndex(of: "/")
    let parent = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let folder = unsafe open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { throw .system(errno) }
    defer { close(folder) }
    guard fsync(folder) == 0 else { throw .system(errno) }
  }
}

/// Why a file of secrets was not read or written.
public enum SecretFileError: Error, Equatable {
  /// There is no such file.
  case absent
  /// There is one already.
  case exists
  /// Others than its owner may reach it, or it is no plain file of this user.
  case exposed
  /// It is empty, or larger than such a file can be.
  case wrongSize
  /// The system refused, with this `errno`.
  case system(Int32)
}
