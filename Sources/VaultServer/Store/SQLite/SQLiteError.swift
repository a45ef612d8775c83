// SPDX-License-Identifier: Apache-2.0
import GRDB

extension StoreError {
  /// What an error of GRDB means to the store's caller; SQLite's text stays out of it.
  init(_ error: any Error) {
    switch error {
    case let error as StoreError: self = error
    case let error as DatabaseError: self.init(error)
    default: self = .unavailable(.other(code: "\(type(of: error))"))
    }
  }

  private init(_ error: DatabaseError) {
    switch error.resultCode {
    case .SQLITE_FULL: self = .unavailable(.full)
    case .SQLITE_IOERR, .SQLITE_CANTOPEN, .SQLITE_READONLY: self = .unavailable(.inputOutput)
    case .SQLITE_BUSY, .SQLITE_LOCKED: self = .unavailable(.busy)
    case .SQLITE_CORRUPT, .SQLITE_NOTADB: self = .damaged("the database file is damaged")
    case .SQLITE_MISUSE: self = .unavailable(.closed)
    default: self = .unavailable(.other(code: "\(error.extendedResultCode.rawValue)"))
    }
  }
}
