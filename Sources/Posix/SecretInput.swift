// SPDX-License-Identifier: Apache-2.0
import Glibc
public import Sodium

/// Reads a secret a person typed or a file holds, straight into locked memory.
public enum SecretInput {
  /// Bytes that one secret may have.
  public static let limit = 4096

  /// Why there is no secret.
  public enum Failure: Error, Equatable {
    /// There is no terminal to ask on.
    case noTerminal
    /// The person pressed Ctrl-C, or Ctrl-D at the start.
    case interrupted
    /// More than ``limit`` bytes.
    case tooLong
    /// The file cannot be read.
    case system(SystemError)
  }

  /// The first line of the file at `path`, or of standard input for `-`, without its end of line.
  ///
  /// Of standard input nothing beyond the line is consumed.
  ///
  /// - Throws: ``Failure``.
  public static func line(ofFile path: String) throws(Failure) -> SecretBytes {
    guard path != "-" else { return try line(of: STDIN_FILENO) }
    let file = try open(path)
    let secret = try line(of: file.number)
    // Open until here.
    _ = consume file
    return secret
  }

  private static func open(_ path: String) throws(Failure) -> Descriptor {
    do throws(SystemError) {
      return try Descriptor.open(path, O_RDONLY)
    } catch {
      throw .system(error)
    }
  }

  /// What a person types on this process's terminal after `prompt`, shown as nothing.
  ///
  /// - Throws: ``Failure``.
  public static func ask(_ prompt: String) throws(Failure) -> SecretBytes {
    guard let terminal = try? Descriptor.open("/dev/tty", O_RDWR | O_NOCTTY) else {
      throw .noTerminal
    }
    var before = termios()
    guard unsafe tcgetattr(terminal.number, &before) == 0 else { throw .noTerminal }
    // Keys arrive one by one and Ctrl-C as a byte, so that no way out leaves the echo off.
    var quiet = before
    quiet.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG | IEXTEN)
    quiet.c_cc.6 = 1  // VMIN
    quiet.c_cc.5 = 0  // VTIME
    guard unsafe tcsetattr(terminal.number, TCSAFLUSH, &quiet) == 0 else { throw .noTerminal }
    defer {
      write("\n", to: terminal.number)
      _ = unsafe tcsetattr(terminal.number, TCSAFLUSH, &before)
    }
    write(prompt, to: terminal.number)
    return try gather(from: terminal.number, typed: true)
  }

  /// Shows `text` on this process's terminal, past its streams, which may lead into a file or a log.
  ///
  /// - Throws: ``Failure``.
  public static func show(_ text: borrowing SecretBytes) throws(Failure) {
    guard let terminal = try? Descriptor.open("/dev/tty", O_WRONLY | O_NOCTTY) else {
      throw .noTerminal
    }
    do throws(SystemError) {
      try text.withBytes { (bytes) throws(SystemError) in
        var sent = 0
        while sent < bytes.count {
          let rest = bytes.extracting(sent..<bytes.count)
          sent += try checked("write") {
            unsafe rest.withUnsafeBytes {
              unsafe Glibc.write(terminal.number, $0.baseAddress, $0.count)
            }
          }
        }
      }
    } catch {
      throw .system(error)
    }
  }

  /// Whether a person sits at this process's terminal.
  public static var hasTerminal: Bool {
    (try? Descriptor.open("/dev/tty", O_RDWR | O_NOCTTY)) != nil
  }

  private static func line(of descriptor: Int32) throws(Failure) -> SecretBytes {
    try gather(from: descriptor, typed: false)
  }

  private static func gather(from descriptor: Int32, typed: Bool) throws(Failure) -> SecretBytes {
    var count = 0
    let buffer = try SecretBytes(count: limit + 1) { (out) throws(Failure) in
      reading: while let byte = try next(from: descriptor) {
        switch byte {
        case 0x0A: break reading
        case 0x0D where typed: break reading
        case 0x03 where typed: throw .interrupted
        case 0x04 where typed && count == 0: throw .interrupted
        case 0x04 where typed: break reading
        case 0x15 where typed: count = 0
        case 0x7F where typed, 0x08 where typed:
          // A character goes with all its bytes of UTF-8.
          while count > 0 {
            count -= 1
            if out[count] & 0xC0 != 0x80 { break }
          }
        default:
          guard count < limit else { throw .tooLong }
          out[count] = byte
          count += 1
        }
      }
      if count > 0, out[count - 1] == 0x0D { count -= 1 }
    }
    return buffer.slice(0..<count)
  }

  private static func next(from descriptor: Int32) throws(Failure) -> UInt8? {
    var byte: UInt8 = 0
    do throws(SystemError) {
      let got = try checked("read") { unsafe read(descriptor, &byte, 1) }
      return got == 1 ? byte : nil
    } catch {
      throw .system(error)
    }
  }

  private static func write(_ text: String, to descriptor: Int32) {
    let bytes = [UInt8](text.utf8)
    _ = unsafe Glibc.write(descriptor, bytes, bytes.count)
  }
}
