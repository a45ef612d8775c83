// SPDX-License-Identifier: Apache-2.0
import Foundation
import Sodium
import VaultServer

/// A failure in words for the operator: what happened, and what to do about it.
struct Failure: Error, CustomStringConvertible {
  let error: String
  let hint: String

  init(_ error: String, _ hint: String) {
    self.error = error
    self.hint = hint
  }

  init(_ error: StoreError) {
    switch error {
    case .damaged(let finding):
      self.init("the database cannot be used: \(finding)", "look before you change anything")
    case .unavailable(let fault):
      let what: String
      switch fault {
      case .full: what = "its disk is full"
      case .inputOutput: what = "it cannot be read or written"
      case .busy: what = "another program holds it"
      case .connection: what = "there is no connection to it"
      case .closed: what = "it is closed"
      case .other(let code): what = "its own code is \(code)"
      }
      self.init("the database does not answer: \(what)", "check --database and VAULT_DATABASE_URL")
    case .unauthorized, .notFresh, .gone:
      self.init("the database gave an answer that this command cannot get", "report this as a bug")
    }
  }

  init(_ error: ServerSecretsError, path: String) {
    switch error {
    case .file(.exposed):
      self.init(
        "\(path) can be reached by others, or is not a file of this user",
        "make it yours with mode 0600, and think about who may have read it")
    case .file(.absent):
      self.init(
        "there is no \(path)",
        "check --data and --secrets; \"vaultd serve\" makes it at its first start"
      )
    case .file(.system(let number)):
      self.init("cannot use \(path): system error \(number)", "check its folder and the disk")
    case .file, .damaged:
      self.init(
        "\(path) does not hold a server's secrets",
        "bring it back from its backup: without it no account can log in")
    case .otherName(let name):
      self.init(
        "this server is called \(name), for good", "leave --server-name out, or start with new data"
      )
    case .badName:
      self.init("a server's name has 1 to 255 of a-z 0-9 . _ : -", "choose another --server-name")
    }
  }

  var description: String { "\(error)\nhint: \(hint)" }
}
